//! Errors as a person sees them, and as a program does.

use super::output::{Format, Output, say};
use super::redact::redact;
use crate::{Error, RevisionReport};
use anstream::adapter::strip_str;
use owo_colors::OwoColorize as _;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io;

/// How many lines of an operation's SQL are shown: enough to recognise it, and its source is named.
const SQL_LINES: usize = 15;

/// Why a command was not done.
#[derive(Debug)]
pub(super) enum Failure {
    /// The engine says so.
    Engine {
        /// What it says.
        error: Box<Error>,
        /// The revisions that were done before; they hold.
        done: Vec<RevisionReport>,
    },
    /// The arguments can't be understood: clap's text.
    Usage(String),
    /// The lock can't be read, written, or is otherwise than the chain.
    Lock {
        /// What is wrong.
        what: String,
        /// What to do next.
        help: String,
    },
    /// No database was named.
    NoDatabase,
    /// A signal came.
    Interrupted {
        /// Which one.
        signal: &'static str,
        /// What is true now in the database.
        now: String,
        /// What to do next.
        help: Option<&'static str>,
        /// The revisions that were done before; they hold.
        done: Vec<RevisionReport>,
    },
    /// Nothing was begun: the operating system gives us no threads or no signals.
    Start(io::Error),
    /// Stdout can't be written to.
    Output(io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Engine { error: Box::new(error), done: Vec::new() }
    }
}

impl Failure {
    /// What the process ends with.
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::Engine { error, .. } => error.exit_code(),
            Self::Usage(_) | Self::NoDatabase => 2,
            Self::Interrupted { .. } => 130,
            Self::Lock { .. } | Self::Start(_) | Self::Output(_) => 1,
        }
    }

    /// Writes the error to stderr, and to stdout where a document was asked for.
    pub(super) fn report(&self, output: &Output) {
        if output.format == Format::Json {
            output.document(&self.document());
        }
        self.report_as_text();
    }

    /// Writes the error to stderr.
    pub(super) fn report_as_text(&self) {
        say(&self.text());
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Engine { error, .. } => error.kind(),
            Self::Usage(_) | Self::NoDatabase => "usage",
            Self::Interrupted { .. } => "interrupted",
            Self::Lock { .. } => "lock",
            Self::Start(_) => "start",
            Self::Output(_) => "output",
        }
    }

    fn what(&self) -> String {
        match self {
            Self::Engine { error, .. } => error.what(),
            Self::Usage(text) => strip_str(text).to_string().trim_start_matches("error: ").trim_end().to_owned(),
            Self::NoDatabase => "no database is named".to_owned(),
            Self::Interrupted { signal, .. } => format!("interrupted by {signal}"),
            Self::Lock { what, .. } => what.clone(),
            Self::Start(error) => format!("can't start: {error}"),
            Self::Output(error) => format!("can't write the result: {error}"),
        }
    }

    fn now(&self) -> Option<String> {
        match self {
            Self::Engine { error, done } => match (error.now(), done.last()) {
                // the engine speaks of the command as if it were alone
                (Some(now), Some(last)) => Some(format!("{now}; what was done before it holds, up to `{}`", last.name)),
                (now, _) => now,
            },
            Self::Interrupted { now, .. } => Some(now.clone()),
            Self::Lock { .. } | Self::NoDatabase | Self::Start(_) => Some("nothing was changed".to_owned()),
            Self::Output(_) => Some("the command itself was done; `migrate status` says where the database stands".to_owned()),
            Self::Usage(_) => None,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Engine { error, .. } => error.help(),
            Self::NoDatabase => Some(format!("set DATABASE_URL or give `--database-url`: {}", crate::api::spellings())),
            Self::Lock { help, .. } => Some(help.clone()),
            Self::Interrupted { help, .. } => help.map(str::to_owned),
            Self::Output(_) => Some("look at what stdout is connected to".to_owned()),
            Self::Usage(_) | Self::Start(_) => None,
        }
    }

    fn text(&self) -> String {
        if let Self::Usage(text) = self {
            return text.trim_end().to_owned();
        }
        let mut text = format!("{} {}", "error:".red().bold(), self.what());
        if let Self::Engine { error, .. } = self
            && let Some(place) = error.place()
        {
            let _ = write!(text, "\n  operation {} of {} ({})", place.number, place.name, place.revision);
            for line in error.sql().into_iter().flat_map(excerpt) {
                let _ = write!(text, "\n    {}", line.dimmed());
            }
        }
        if let Some(now) = self.now() {
            let _ = write!(text, "\n{} {now}", "now:".bold());
        }
        if let Some(help) = self.help() {
            let _ = write!(text, "\n{} {help}", "help:".bold());
        }
        text
    }

    fn document(&self) -> Value {
        let (error, done) = match self {
            Self::Engine { error, done } => (Some(error), done.as_slice()),
            Self::Interrupted { done, .. } => (None, done.as_slice()),
            _ => (None, &[][..]),
        };
        let text = |text: Option<String>| text.map(|text| redact(&text));
        let mut document = json!({
            "error": {
                "kind": self.kind(),
                "message": redact(&self.what()),
                "sqlstate": error.and_then(|error| error.sqlstate()),
                "place": error.and_then(|error| error.place()),
                "sql": error.and_then(|error| error.sql()),
                "now": text(self.now()),
                "help": text(self.help()),
                "exit_code": self.exit_code(),
            }
        });
        if !done.is_empty() {
            document["revisions"] = json!(done);
        }
        document
    }
}

fn excerpt(sql: &str) -> Vec<String> {
    let count = sql.lines().count();
    let mut lines: Vec<String> = sql.lines().take(SQL_LINES).map(str::to_owned).collect();
    if count > SQL_LINES {
        lines.push(format!("… {} more lines", count - SQL_LINES));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;

    fn failed(sql: &str) -> Failure {
        let place = Place {
            revision: "774225e563ca".into(),
            name: "m0003_document_ai".into(),
            number: 7,
            operation: "add column `documents.ai_status`".into(),
            file: "src/migrations/m0003_document_ai.rs".into(),
            line: 12,
        };
        let error = Error::Operation {
            place: Box::new(place),
            sql: sql.into(),
            sqlstate: Some("23502".into()),
            message: "column contains null values".into(),
            now: "the migration was rolled back whole".into(),
            help: "fill the nulls".into(),
        };
        error.into()
    }

    #[test]
    fn an_operation_says_where_it_stands_and_what_it_is() {
        let text = strip_str(&failed("alter table public.documents\n  add column ai_status text").text()).to_string();
        let expected = "error: add column `documents.ai_status` (src/migrations/m0003_document_ai.rs:12) failed: column contains null values \
                        (SQLSTATE 23502)\n  operation 7 of m0003_document_ai (774225e563ca)\n    \
                        alter table public.documents\n      add column ai_status text\nnow: the migration was rolled back whole\nhelp: fill the nulls";
        assert_eq!(text, expected);
    }

    #[test]
    fn long_sql_is_cut() {
        let text = strip_str(&failed(&"x\n".repeat(40)).text()).to_string();
        assert!(text.contains("    … 25 more lines\nnow:"), "{text}");
    }

    #[test]
    fn the_document_has_every_part() {
        let document = failed("select 1").document();
        let error = &document["error"];
        assert_eq!(error["kind"], "operation");
        assert_eq!(error["sqlstate"], "23502");
        assert_eq!(error["place"]["line"], 12);
        assert_eq!(error["sql"], "select 1");
        assert_eq!(error["help"], "fill the nulls");
        assert_eq!(error["exit_code"], 1);
    }
}
