//! `histories [--model-only | --lints] FOLDER…`: puts whole histories of SQL migrations through the model and through a PostgreSQL
//! server of its own, and tells where the two disagree; or tells what the lints find in them.
//!
//! A folder has the migrations as `NNNN_name.up.sql`, `NNNN_name.sql` or `NNNN_name/up.sql`. Exits with 1 where the model
//! finds something wrong, the catalog isn't what the model says, or a derived `down` doesn't restore the schema.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command prints what it found")]

use migrate_tests::history::{self, Migration, Summary};
use migrate_tests::{Server, StartError};
use std::path::Path;
use std::process::ExitCode;

#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error("{folder}: {source}")]
    Folder { folder: String, source: std::io::Error },
    #[error("{folder} has no migrations\nhelp: they are called `0001_name.up.sql`, `0001_name.sql` or `0001_name/up.sql`")]
    Empty { folder: String },
    #[error(transparent)]
    Server(#[from] StartError),
    #[error(transparent)]
    Dump(#[from] history::DumpError),
}

/// What the migrations are put through.
#[derive(Clone, Copy)]
enum Mode {
    Server,
    Model,
    Lints,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let (options, folders): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let mode = match options.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Some(Mode::Server),
        ["--model-only"] => Some(Mode::Model),
        ["--lints"] => Some(Mode::Lints),
        _ => None,
    };
    let Some(mode) = mode.filter(|_| !folders.is_empty()) else {
        eprintln!("usage: histories [--model-only | --lints] FOLDER…");
        return ExitCode::from(2);
    };
    let mut clean = true;
    for folder in &folders {
        match run(folder, mode).await {
            Ok(summary) => {
                println!("== {folder}\n{summary}");
                clean &= summary.is_clean();
            }
            Err(error) => {
                eprintln!("error: {error}");
                return ExitCode::from(2);
            }
        }
    }
    if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn run(folder: &str, mode: Mode) -> Result<Summary, RunError> {
    let migrations = Migration::read_all(Path::new(folder)).map_err(|source| RunError::Folder { folder: folder.to_owned(), source })?;
    if migrations.is_empty() {
        return Err(RunError::Empty { folder: folder.to_owned() });
    }
    let tell = |line: &str| println!("{line}");
    match mode {
        Mode::Model => Ok(history::replay(&migrations, tell)),
        Mode::Lints => Ok(history::lint(&migrations, tell)),
        Mode::Server => Ok(history::run(&migrations, &Server::start()?, tell).await?),
    }
}
