//! The founding case: one chain for deployments that have different modules.

pub mod migrations;
