//! What each command does.

use super::arguments::{Arguments, Command};
use super::failure::Failure;
use super::interrupt::Interruptible;
use super::output::Output;
use super::progress::Progress;
use super::{graph, lock, text};
use crate::{Database, Error, Migrations, Options, RevisionStatus, Status};
use clap::CommandFactory as _;
use serde_json::json;
use std::sync::Arc;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Does what the arguments say and gives the exit code.
pub(super) fn run(arguments: &Arguments, chain: Migrations, default_url: Option<&str>, output: &Arc<Output>) -> Result<u8, Failure> {
    // a variable that is set to nothing is how many shells and files unset one
    let given = arguments.database.database_url.as_deref().filter(|url| !url.is_empty());
    match &arguments.command {
        Command::Completions { shell } => {
            completions(*shell, output);
            return Ok(0);
        }
        Command::Lock { check } => return lock::run(chain, *check, output),
        Command::History if given.or(default_url).is_none() => {
            let revisions = offline(chain);
            output.text(&graph::draw(&revisions, false));
            output.document(&json!({ "target": null, "revisions": revisions }));
            return Ok(0);
        }
        _ => {}
    }
    let url = given.or(default_url).ok_or(Failure::NoDatabase)?;
    let progress = Progress::new(Arc::clone(output), !arguments.no_progress && arguments.verbose == 0, arguments.quiet);
    let options = Options {
        lock_timeout: arguments.database.lock_timeout,
        lock_budget: arguments.database.lock_budget,
        large_table: arguments.database.large_table,
        guard_wait: arguments.database.wait,
        reconnect_wait: arguments.database.reconnect,
        batch_target: arguments.database.batch_target,
        replication_lag: arguments.database.max_lag,
        observer: Some(progress.observer()),
    };
    let database = Database::new(url)?.with_options(options);
    // only now: the driver logs parameters of the URL that it doesn't know, with their values
    log(arguments.verbose);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(Failure::Start)?;
    let writes = matches!(&arguments.command, Command::Up { dry_run: false, .. } | Command::Down(_) | Command::Stamp { .. });
    let session = Session { database: &database, chain, output, progress: &progress };
    let interruptible = Interruptible { database: &database, chain, progress: &progress, writes };
    let result = runtime.block_on(interruptible.run(session.execute(&arguments.command)));
    progress.finish();
    // a name that is still being looked up must not keep the process
    runtime.shutdown_background();
    result
}

/// What a command works with.
struct Session<'a> {
    database: &'a Database,
    chain: Migrations,
    output: &'a Output,
    progress: &'a Progress,
}

impl Session<'_> {
    async fn execute(&self, command: &Command) -> Result<u8, Failure> {
        let (database, chain, output) = (self.database, self.chain, self.output);
        match command {
            Command::Up { to, dry_run: false } => {
                let summary = database.up(chain, to.as_deref()).await.map_err(|error| self.failed(error))?;
                output.text(&text::after_up(&summary));
                output.document(&summary);
            }
            Command::Down(arguments) => {
                let summary = database.down(chain, &arguments.target()).await.map_err(|error| self.failed(error))?;
                output.text(&text::after_down(&summary));
                output.document(&summary);
            }
            Command::Up { to, dry_run: true } => return self.plan(to.as_deref(), false).await,
            Command::Plan { to, sql } => return self.plan(to.as_deref(), *sql).await,
            Command::Status => {
                let status = database.status(chain).await?;
                output.text(&text::status(&status));
                output.document(&status);
            }
            Command::History => {
                let status = database.status(chain).await?;
                output.text(&graph::draw(&status.revisions, true));
                output.document(&json!({ "target": status.target, "revisions": status.revisions }));
            }
            Command::Current => {
                let status = database.status(chain).await?;
                output.text(&text::current(&status));
                let heads: Vec<_> = status.current().iter().map(|row| json!({ "revision": row.revision, "name": row.name })).collect();
                output.document(&json!({ "target": status.target, "current": heads, "pending": status.pending() }));
            }
            Command::Skipped => {
                let Status { target, skipped, .. } = database.status(chain).await?;
                output.text(&text::skipped(&skipped));
                output.document(&json!({ "target": target, "skipped": skipped }));
            }
            Command::Stamp { revision } => {
                let stamped = database.stamp(chain, revision).await?;
                output.text(&text::stamped(&stamped));
                output.document(&stamped);
            }
            Command::Check => {
                let report = database.check(chain).await?;
                output.text(&text::check(&report));
                output.document(&report);
                return Ok(report.exit_code());
            }
            Command::Lock { .. } | Command::Completions { .. } => {}
        }
        Ok(0)
    }

    async fn plan(&self, to: Option<&str>, sql: bool) -> Result<u8, Failure> {
        let plan = self.database.plan(self.chain, to).await?;
        self.output.text(&if sql { text::plan_as_sql(&plan) } else { text::plan(&plan) });
        self.output.document(&plan);
        Ok(plan.exit_code())
    }

    fn failed(&self, error: Error) -> Failure {
        Failure::Engine { error: Box::new(error), done: self.progress.done() }
    }
}

fn completions(shell: clap_complete::Shell, output: &Output) {
    let mut command = Arguments::command();
    let name = std::env::args_os()
        .next()
        .and_then(|path| std::path::Path::new(&path).file_stem().map(|stem| stem.to_string_lossy().into_owned()))
        .unwrap_or_else(|| command.get_name().to_owned());
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    let script = String::from_utf8_lossy(&script);
    output.text(&script);
    output.document(&json!({ "shell": shell.to_string(), "script": script }));
}

/// The chain as it is in this binary, without a database.
fn offline(chain: Migrations) -> Vec<RevisionStatus> {
    let row = |migration: &&crate::Migration| RevisionStatus {
        revision: migration.revision.to_owned(),
        parents: migration.parents.iter().map(|parent| (*parent).to_owned()).collect(),
        name: migration.name.to_owned(),
        summary: migration.summary.to_owned(),
        state: None,
        recorded_at: None,
        skipped: 0,
    };
    chain.migrations.iter().map(row).collect()
}

/// Sends logs to stderr: nothing, what the engine does, or also what the driver does.
fn log(verbose: u8) {
    let targets = match verbose {
        0 => return,
        1 => Targets::new().with_target("migrate_runtime", LevelFilter::DEBUG),
        _ => Targets::new().with_target("migrate_runtime", LevelFilter::TRACE).with_target("sqlx", LevelFilter::DEBUG),
    };
    let layer = tracing_subscriber::fmt::layer().with_writer(anstream::stderr).with_ansi(false);
    // a binary that has its own subscriber keeps it
    let _ = tracing_subscriber::registry().with(targets).with(layer).try_init();
}
