//! What can go wrong. Every message says what is true now in the database, and what to do next.

use std::time::Duration;

/// The result of everything that talks to a database.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Where an operation stands and what it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Place {
    /// The migration's revision.
    pub revision: String,
    /// The migration's name.
    pub name: String,
    /// The number of the operation in it, from 1.
    pub number: usize,
    /// What it does.
    pub operation: String,
    /// The source file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}:{})", self.operation, self.file, self.line)
    }
}

/// An error of the engine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database can't be reached, or refuses us. Nothing was changed.
    #[error("can't connect to {target}: {reason}\nnow: nothing was changed\nhelp: {help}")]
    Connect {
        /// Host, port, database and user, without the password.
        target: String,
        /// What the server or the operating system said.
        reason: String,
        /// What to do.
        help: String,
    },
    /// The URL can't be read, or names a database of another kind. Nothing was changed.
    #[error("{reason}\nhelp: {help}")]
    Url {
        /// What is wrong with it.
        reason: String,
        /// What to write.
        help: String,
    },
    /// An operation failed. The migration was rolled back, but for what segments before the failing one had committed.
    #[error("{place} failed: {message}{}\nnow: {now}\nhelp: {help}", sqlstate.as_ref().map(|code| format!(" (SQLSTATE {code})")).unwrap_or_default())]
    Operation {
        /// Which one.
        place: Box<Place>,
        /// The statement that failed.
        sql: String,
        /// The server's code, where the server said no.
        sqlstate: Option<String>,
        /// What the server said, or which difference was found.
        message: String,
        /// What is true now in the database.
        now: String,
        /// What to do next.
        help: String,
    },
    /// Another migrator holds the lock. Nothing was changed.
    #[error("another migrator is at work: {holder}\nnow: nothing was changed by this one, which waited for {waited:.1?}\nhelp: wait until it is done, or end that session")]
    Locked {
        /// Who holds the lock.
        holder: String,
        /// How long we waited.
        waited: Duration,
    },
    /// The database's history and the chain don't fit. Nothing was changed.
    #[error("{problem}\nnow: nothing was changed\nhelp: {help}")]
    History {
        /// What doesn't fit.
        problem: String,
        /// What to do.
        help: String,
    },
    /// The command names a revision that isn't in the chain. Nothing was changed.
    #[error("no revision `{revision}` in this chain{}", nearest.as_ref().map(|name| format!("\nhelp: did you mean `{name}`?")).unwrap_or_default())]
    UnknownRevision {
        /// The name.
        revision: String,
        /// The most similar one.
        nearest: Option<String>,
    },
    /// A migration that can't be reversed stands in the way. Nothing was changed.
    #[error("`{name}` can't be reversed: {reason}\nnow: nothing was changed\nhelp: {help}")]
    Irreversible {
        /// The migration.
        name: String,
        /// Why.
        reason: String,
        /// What to do.
        help: String,
    },
    /// The connection broke. Whether the last transaction was committed is not known to this process; the journal knows.
    #[error("the connection to the database was lost: {reason}\nnow: the last transaction is either committed whole or not at all\nhelp: run `up` again: it reads the journal and goes on from there")]
    ConnectionLost {
        /// What the driver said.
        reason: String,
    },
    /// The server said no to something of our own, not to a migration's operation.
    #[error("{doing}: {message}{}\nnow: nothing was changed\nhelp: {help}", sqlstate.as_ref().map(|code| format!(" (SQLSTATE {code})")).unwrap_or_default())]
    Server {
        /// What we were doing.
        doing: &'static str,
        /// What the server said.
        message: String,
        /// Its code.
        sqlstate: Option<String>,
        /// What to do.
        help: String,
    },
    /// A Rust step stopped the migration.
    #[error("{0}")]
    Step(String),
    /// A statement of a Rust step failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// A file or an answer isn't what it should be.
    #[error("{doing}: {reason}")]
    Format {
        /// What was read.
        doing: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

impl Error {
    /// An error of a Rust step, with a message of its own.
    pub fn step(message: impl Into<String>) -> Self {
        Self::Step(message.into())
    }

    /// The server's code, if a server said no.
    #[must_use]
    pub fn sqlstate(&self) -> Option<String> {
        match self {
            Self::Operation { sqlstate, .. } | Self::Server { sqlstate, .. } => sqlstate.clone(),
            Self::Database(sqlx::Error::Database(error)) => error.code().map(std::borrow::Cow::into_owned),
            _ => None,
        }
    }

    /// The exit code of the command line: 1 failed, 2 usage, 4 conflict, 5 history tampered or diverged, 6 locked.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Url { .. } | Self::UnknownRevision { .. } => 2,
            Self::History { .. } => 5,
            Self::Locked { .. } => 6,
            _ => 1,
        }
    }

    /// An error of our own statements.
    pub(crate) fn server(doing: &'static str, error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => {
                let sqlstate = error.code().map(std::borrow::Cow::into_owned);
                let help = match sqlstate.as_deref() {
                    Some("42501") => "grant the missing privilege to this role, or use a role that has it",
                    Some("25006") => "connect to the primary: this server is read-only",
                    Some("55P03" | "57014") => "try again when the lock is free",
                    _ => "fix what the server says and run the command again",
                };
                Self::Server { doing, message: error.message().to_owned(), sqlstate, help: help.to_owned() }
            }
            error => Self::ConnectionLost { reason: error.to_string() },
        }
    }
}
