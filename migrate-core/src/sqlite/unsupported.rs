//! What SQLite can't say.

use thiserror::Error;

/// Something that has no equal on SQLite. Nothing was planned.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct Unsupported {
    /// What it is: lower case, no final period, names in backticks.
    pub message: String,
    /// What to do, as one imperative sentence.
    pub help: String,
}

impl Unsupported {
    /// What belongs in a block for PostgreSQL alone.
    pub(super) fn new(message: impl Into<String>) -> Self {
        let help = "put the statement into a `postgres { … }` block, and what SQLite needs instead into a `sqlite { … }` block";
        Self { message: message.into(), help: help.to_owned() }
    }

    /// The same with advice of its own.
    pub(super) fn with_help(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
    }
}
