//! Stdout: data, and nothing else.

use super::redact::redact;
use serde::Serialize;
use std::io::{self, Write as _};
use std::sync::{Mutex, PoisonError};

/// How the result is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// For people.
    Text,
    /// One JSON document.
    Json,
}

/// Where results go. Remembers the first failure to write: it must not end a migration half way through.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) format: Format,
    failed: Mutex<Option<io::Error>>,
}

impl Output {
    pub(super) fn new(format: Format) -> Self {
        Self { format, failed: Mutex::new(None) }
    }

    /// Writes text, if text was asked for.
    pub(super) fn text(&self, text: &str) {
        if self.format == Format::Text && !text.is_empty() {
            self.write(text);
        }
    }

    /// Writes the document, if one was asked for.
    pub(super) fn document(&self, document: &impl Serialize) {
        if self.format == Format::Json {
            match serde_json::to_string_pretty(document) {
                Ok(json) => self.write(&json),
                Err(error) => self.note(error.into()),
            }
        }
    }

    /// Writes a script or another thing that is the same in every format.
    pub(super) fn write(&self, text: &str) {
        let mut stdout = anstream::stdout().lock();
        let end = if text.ends_with('\n') { "" } else { "\n" };
        if let Err(error) = write!(stdout, "{text}{end}").and_then(|()| stdout.flush()) {
            self.note(error);
        }
    }

    fn note(&self, error: io::Error) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    /// Whether everything was written. A reader who has gone away had enough.
    pub(super) fn finish(&self) -> io::Result<()> {
        match self.failed.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }
}

/// Writes a line to stderr. If nobody can read it there is nobody to tell.
pub(super) fn say(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{}", redact(text));
}
