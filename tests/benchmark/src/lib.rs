//! The workloads, and the chains that are made of them.

pub mod chain_file;
pub mod workloads;
