//! What can go wrong. Every message says what is true now in the database, and what to do next.

use std::fmt;
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

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}:{})", self.operation, self.file, self.line)
    }
}

/// An error of the engine.
///
/// Its text has what is wrong on the first lines, then a line `now: …` that says what is true in the database, then a
/// line `help: …` that says what to do. [`what`](Self::what), [`now`](Self::now) and [`help`](Self::help) give them apart.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The database can't be reached, or refuses us. Nothing was changed.
    Connect {
        /// Host, port, database and user, without the password.
        target: String,
        /// What the server or the operating system said.
        reason: String,
        /// What to do.
        help: String,
    },
    /// The URL can't be read, or names a database of another kind. Nothing was changed.
    Url {
        /// What is wrong with it.
        reason: String,
        /// What to write.
        help: String,
    },
    /// An operation failed. The migration was rolled back, but for what segments before the failing one had committed.
    Operation {
        /// Which one.
        place: Box<Place>,
        /// The statement that failed.
        sql: String,
        /// The server's code, where the server said no.
        sqlstate: Option<String>,
        /// What the server said.
        message: String,
        /// What is true now in the database.
        now: String,
        /// What to do next.
        help: String,
    },
    /// What an operation works on isn't there, or is otherwise than the history of this database says. The operation was
    /// not run, and the migration was rolled back as for [`Error::Operation`].
    Drift {
        /// Which one.
        place: Box<Place>,
        /// The statement that was not run.
        sql: String,
        /// Which difference was found.
        message: String,
        /// What is true now in the database.
        now: String,
        /// What to do next.
        help: String,
    },
    /// Another migrator holds the lock. Nothing was changed.
    Locked {
        /// Who holds the lock.
        holder: String,
        /// How long we waited.
        waited: Duration,
    },
    /// The database's history and the chain don't fit. Nothing was changed.
    History {
        /// What doesn't fit.
        problem: String,
        /// What to do.
        help: String,
    },
    /// The command names a revision that isn't in the chain. Nothing was changed.
    UnknownRevision {
        /// The name.
        revision: String,
        /// The most similar one.
        nearest: Option<String>,
    },
    /// A migration that can't be reversed stands in the way. Nothing was changed.
    Irreversible {
        /// The migration.
        name: String,
        /// Why.
        reason: String,
        /// What to do.
        help: String,
    },
    /// The connection broke. PostgreSQL is asked again, on a new connection, for what became of the migration: `now` has
    /// the answer, or why there is none yet. The next `up` reads the journal and goes on from there.
    ConnectionLost {
        /// What the driver said.
        reason: String,
        /// The operation that was at work, if it was one.
        during: Option<Box<Place>>,
        /// What is true now in the database.
        now: String,
    },
    /// The server said no to something of our own, not to a migration's operation.
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
    /// A Rust step sent a `commit` or `rollback` of its own. What came before it in the migration is committed or gone. The
    /// journal has the failure, and the migration is not recorded as done: take the statement out, and run `up` again.
    TransactionEnded {
        /// The step.
        place: Box<Place>,
        /// What it did, and what it said if it failed after that.
        message: String,
    },
    /// A Rust step stopped the migration.
    Step(String),
    /// A statement of a Rust step failed.
    Database(sqlx::Error),
    /// A file or an answer isn't what it should be.
    Format {
        /// What was read.
        doing: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.what())?;
        if let Some(now) = self.now() {
            write!(f, "\nnow: {now}")?;
        }
        if let Some(help) = self.help() {
            write!(f, "\nhelp: {help}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Database(error) => std::error::Error::source(error),
            _ => None,
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl Error {
    /// An error of a Rust step, with a message of its own.
    pub fn step(message: impl Into<String>) -> Self {
        Self::Step(message.into())
    }

    /// The kind of error, as `--format json` spells it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Connect { .. } => "connect",
            Self::Url { .. } => "url",
            Self::Operation { .. } => "operation",
            Self::Drift { .. } => "drift",
            Self::Locked { .. } => "locked",
            Self::History { .. } => "history",
            Self::UnknownRevision { .. } => "unknown_revision",
            Self::Irreversible { .. } => "irreversible",
            Self::ConnectionLost { .. } => "connection_lost",
            Self::Server { .. } => "server",
            Self::TransactionEnded { .. } => "transaction_ended",
            Self::Step(_) => "step",
            Self::Database(_) => "database",
            Self::Format { .. } => "format",
        }
    }

    /// What is wrong.
    #[must_use]
    pub fn what(&self) -> String {
        let with_code = |text: String, code: Option<&String>| match code {
            Some(code) if code.starts_with("SQLITE") => format!("{text}: {code}"),
            Some(code) => format!("{text} (SQLSTATE {code})"),
            None => text,
        };
        match self {
            Self::Connect { target, reason, .. } => format!("can't connect to {target}: {reason}"),
            Self::Url { reason, .. } | Self::Step(reason) => reason.clone(),
            Self::Operation { place, message, sqlstate, .. } => with_code(format!("{place} failed: {message}"), sqlstate.as_ref()),
            Self::Drift { place, message, .. } => format!("{place} can't be done: {message}"),
            Self::TransactionEnded { place, message } => format!("{place} {message}"),
            Self::Locked { holder, .. } => format!("another migrator or writer is at work: {holder}"),
            Self::History { problem, .. } => problem.clone(),
            Self::UnknownRevision { revision, .. } => format!("no revision `{revision}` in this chain"),
            Self::Irreversible { name, reason, .. } => format!("`{name}` can't be reversed: {reason}"),
            Self::ConnectionLost { reason, during: None, .. } => format!("the connection to the database was lost: {reason}"),
            Self::ConnectionLost { reason, during: Some(place), .. } => {
                format!("{place} failed: the connection to the database was lost: {reason}")
            }
            Self::Server { doing, message, sqlstate, .. } => with_code(format!("{doing}: {message}"), sqlstate.as_ref()),
            Self::Database(error) => error.to_string(),
            Self::Format { doing, reason } => format!("{doing}: {reason}"),
        }
    }

    /// What is true now in the database.
    #[must_use]
    pub fn now(&self) -> Option<String> {
        let nothing = || Some("nothing was changed".to_owned());
        match self {
            Self::Operation { now, .. } | Self::Drift { now, .. } | Self::ConnectionLost { now, .. } => Some(now.clone()),
            Self::Locked { waited, .. } => Some(format!("nothing was changed by this one, which waited for {waited:.1?}")),
            Self::TransactionEnded { .. } => Some(
                "what came before it in the migration is committed, and not recorded; or it is undone, if the step rolled back".to_owned(),
            ),
            Self::Connect { .. }
            | Self::Url { .. }
            | Self::History { .. }
            | Self::UnknownRevision { .. }
            | Self::Irreversible { .. }
            | Self::Server { .. } => nothing(),
            Self::Step(_) | Self::Database(_) | Self::Format { .. } => None,
        }
    }

    /// What to do next.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Connect { help, .. }
            | Self::Url { help, .. }
            | Self::Operation { help, .. }
            | Self::Drift { help, .. }
            | Self::History { help, .. }
            | Self::Irreversible { help, .. }
            | Self::Server { help, .. } => Some(help.clone()),
            Self::Locked { .. } => Some("wait until it is done, or end that session".to_owned()),
            Self::UnknownRevision { nearest: Some(nearest), .. } => Some(format!("did you mean `{nearest}`?")),
            Self::UnknownRevision { nearest: None, .. } => Some("`migrate history` lists the revisions".to_owned()),
            Self::TransactionEnded { .. } => Some(
                "take `commit` and `rollback` out of the step (`begin()` of the driver is fine), and run `up` again: it finds what is done"
                    .to_owned(),
            ),
            Self::ConnectionLost { .. } => Some("run `up` again: it reads the journal and goes on from there".to_owned()),
            Self::Step(_) | Self::Database(_) | Self::Format { .. } => None,
        }
    }

    /// Which operation it was about.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Operation { place, .. }
            | Self::Drift { place, .. }
            | Self::TransactionEnded { place, .. }
            | Self::ConnectionLost { during: Some(place), .. } => Some(place),
            _ => None,
        }
    }

    /// The SQL of that operation.
    #[must_use]
    pub fn sql(&self) -> Option<&str> {
        match self {
            Self::Operation { sql, .. } | Self::Drift { sql, .. } => Some(sql).filter(|sql| !sql.is_empty()).map(String::as_str),
            _ => None,
        }
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

    /// The exit code of the command line: 1 failed, 2 usage, 4 drift or conflict, 5 history tampered or diverged, 6 locked.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Url { .. } | Self::UnknownRevision { .. } => 2,
            Self::Drift { .. } => 4,
            Self::History { .. } => 5,
            Self::Locked { .. } => 6,
            _ => 1,
        }
    }

    /// The connection broke, and nobody has asked yet what became of what was under way.
    pub(crate) fn lost(reason: impl Into<String>) -> Self {
        let now = "the last transaction is either committed whole or not at all".to_owned();
        Self::ConnectionLost { reason: reason.into(), during: None, now }
    }

    /// The same, while an operation was at work.
    #[cfg(feature = "postgres")]
    pub(crate) fn at(mut self, place: &Place) -> Self {
        if let Self::ConnectionLost { during, .. } = &mut self {
            *during = Some(Box::new(place.clone()));
        }
        self
    }

    /// An error of our own statements.
    #[cfg(feature = "postgres")]
    pub(crate) fn server(doing: &'static str, error: sqlx::Error) -> Self {
        if let Some(reason) = crate::postgres::lost(&error) {
            return Self::lost(reason);
        }
        match error {
            sqlx::Error::Database(error) => {
                let sqlstate = error.code().map(std::borrow::Cow::into_owned);
                let help = match sqlstate.as_deref() {
                    Some("42501") => "grant the missing privilege to this role, or use a role that has it",
                    Some("25006") => {
                        "connect to the primary if this server is a standby; else something has set `default_transaction_read_only` for this role or database"
                    }
                    Some("55P03" | "57014") => "try again when the lock is free",
                    _ => "fix what the server says and run the command again",
                };
                Self::Server { doing, message: error.message().to_owned(), sqlstate, help: help.to_owned() }
            }
            error => Self::lost(error.to_string()),
        }
    }
}
