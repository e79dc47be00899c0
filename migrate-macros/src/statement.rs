//! The statements of a block: PostgreSQL's own and the few constructs of ours.

use crate::report::Place;
use crate::sql::SqlText;

/// A word or string of the migration that is not SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    pub value: String,
    pub place: Place,
}

/// `attributes* (sql | construct) ;`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub kind: StatementKind,
    /// The lines of `/// …` before it, joined by line breaks.
    pub documentation: Option<String>,
    pub allows: Vec<Allow>,
    /// Where `#[as_written]` stands before it.
    pub as_written: Option<Place>,
    /// From its first to its last token, without attributes and `;`.
    pub place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatementKind {
    /// Any statement of PostgreSQL or SQLite.
    Sql(SqlText),
    /// `include "schema/production.sql";`
    Include { path: Text },
    /// `run backfill_titles;`, `run backfill_titles in batches of 1000 over documents;`
    Run { function: FunctionPath, over: Option<Over> },
    /// `if exists table name { … }`
    IfExists { table: SqlText, body: Vec<Statement> },
    /// `sqlite { … }`, `postgres { … }`
    Dialect { dialect: Dialect, body: Vec<Statement> },
    /// `assert "message" select …;`
    Assert { message: Text, query: SqlText },
}

/// `#[allow(lint, …, reason = "…")]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow {
    pub lints: Vec<Text>,
    pub reason: Text,
    pub place: Place,
}

/// `in batches of 1000 over documents`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Over {
    /// How many rows the first batch has.
    pub size: u32,
    /// All words of the statement.
    pub statement: SqlText,
    /// Where the table's name begins in them: it is the end.
    pub table_at: usize,
}

/// `name`, `super::name`, `::name::name`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionPath {
    pub global: bool,
    pub segments: Vec<Text>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Postgres,
    Sqlite,
}

/// The block that statements stand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    Up,
    Down,
    Optional,
    External,
}

impl Block {
    /// Its macro, without the `!`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Optional => "optional",
            Self::External => "external",
        }
    }

    /// Whether it only declares what exists elsewhere, so that nothing in it runs.
    pub fn declares(self) -> bool {
        matches!(self, Self::Optional | Self::External)
    }
}
