//! `histories [--model-only] FOLDER…`: puts whole histories of SQL migrations through the model and through a PostgreSQL
//! server of its own, and tells where the two disagree.
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

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let (options, folders): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let model_only = options == ["--model-only"];
    if folders.is_empty() || !(options.is_empty() || model_only) {
        eprintln!("usage: histories [--model-only] FOLDER…");
        return ExitCode::from(2);
    }
    let mut clean = true;
    for folder in &folders {
        match run(folder, model_only).await {
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

async fn run(folder: &str, model_only: bool) -> Result<Summary, RunError> {
    let migrations = Migration::read_all(Path::new(folder)).map_err(|source| RunError::Folder { folder: folder.to_owned(), source })?;
    if migrations.is_empty() {
        return Err(RunError::Empty { folder: folder.to_owned() });
    }
    let tell = |line: &str| println!("{line}");
    if model_only {
        return Ok(history::replay(&migrations, tell));
    }
    let server = Server::start()?;
    Ok(history::run(&migrations, &server, tell).await?)
}
