//! Ctrl-C and SIGTERM: the command ends where it is, and says what is true then.

use super::failure::Failure;
use super::output::say;
use super::progress::Progress;
use super::text;
use crate::{Database, Migrations, RevisionState};
use std::future::Future;
use std::io;
use std::time::Duration;

/// How long it may take to find out what is true after an interruption. A second signal ends that as well.
const PATIENCE: Duration = Duration::from_secs(8);

/// The signals that end a command.
#[derive(Debug)]
struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    #[cfg(unix)]
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }

    #[cfg(not(unix))]
    fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    async fn next(&mut self) -> &'static str {
        // where it can't be listened for, it doesn't come
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        "Ctrl-C"
    }
}

/// A command that signals end.
#[derive(Debug)]
pub(super) struct Interruptible<'a> {
    pub(super) database: &'a Database,
    pub(super) chain: Migrations,
    pub(super) progress: &'a Progress,
    /// Whether it changes the database.
    pub(super) writes: bool,
}

impl Interruptible<'_> {
    /// Does the work, unless a signal comes first.
    pub(super) async fn run<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let mut signals = Signals::listen().map_err(Failure::Start)?;
        let signal = tokio::select! {
            result = work => return result,
            signal = signals.next() => signal,
        };
        // the work is dropped by now, and with it its connections
        self.progress.finish();
        if !self.writes {
            return Err(Failure::Interrupted { signal, now: "nothing was changed".to_owned(), help: None, done: Vec::new() });
        }
        say(&format!("{signal}: rolling back"));
        let now = tokio::select! {
            settled = tokio::time::timeout(PATIENCE, self.settle()) => settled.ok().flatten(),
            _ = signals.next() => None,
        };
        let now = now.unwrap_or_else(|| {
            "the transaction that was open is rolled back as soon as the database notices that nobody is there any more; \
             `migrate status` says where it stands"
                .to_owned()
        });
        let help = Some("run the command again: it goes on from there");
        Err(Failure::Interrupted { signal, now, help, done: self.progress.done() })
    }

    /// Ends what still runs and reads what is true.
    async fn settle(&self) -> Option<String> {
        self.database.end_sessions().await.ok()?;
        let status = self.database.status(self.chain).await.ok()?;
        let current: Vec<_> = status.current().into_iter().map(|row| (row.revision.as_str(), row.name.as_str())).collect();
        let mut now = format!("what was not committed is rolled back; the database is {}", text::at(&current));
        for row in status.revisions.iter().filter(|row| row.state == Some(RevisionState::Started)) {
            now = format!("{now}; `{}` is done in part, and the journal says which part", row.name);
        }
        Some(now)
    }
}
