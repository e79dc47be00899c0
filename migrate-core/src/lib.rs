//! What the `#[migration]` macro and the engine share: operations, the schema model, checks, verdicts.
//!
//! Nothing here does IO, and nothing here panics on input. With the feature `parser` SQL text is lowered to operations;
//! without it (in the application that embeds its migrations) operations come from the constants that the macro emitted.

pub mod chain;
mod checks;
pub mod checksum;
pub mod data;
pub mod data_type;
mod difference;
pub mod effects;
pub mod expression;
pub mod footprint;
#[cfg(feature = "parser")]
pub mod lints;
pub mod lock;
#[cfg(feature = "parser")]
pub mod lower;
pub mod lowering;
pub mod name;
pub mod naming;
pub mod operation;
pub mod ops;
pub mod question;
pub mod render;
pub mod replay;
pub mod report;
pub mod schema;
pub mod sqlite;
pub mod step;
pub mod verdict;
