//! `test-server COMMAND [ARGUMENT…]`: runs a command with a PostgreSQL server of its own, which is gone afterwards.
//!
//! The command finds the server by `MIGRATE_TEST_PG_URL` and its log by `MIGRATE_TEST_PG_LOG`. Exits as the command did.

#![expect(clippy::print_stderr, reason = "a command says on stderr why it fails")]

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};

use migrate_tests::{LOG_VARIABLE, Server, StartError, URL_VARIABLE};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(program) = arguments.next() else {
        eprintln!("usage: test-server COMMAND [ARGUMENT…]");
        return ExitCode::from(2);
    };
    match run(program, arguments) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error(transparent)]
    Server(#[from] StartError),
    #[error("cannot run `{}`: {source}", program.display())]
    Command { program: OsString, source: io::Error },
}

#[tokio::main(flavor = "current_thread")]
async fn run(program: OsString, arguments: impl Iterator<Item = OsString>) -> Result<u8, RunError> {
    let command_failed = |source| RunError::Command { program: program.clone(), source };
    // Before the server is there: a signal that comes while it starts is to stop it as well.
    let mut interrupt = signal(SignalKind::interrupt()).map_err(command_failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(command_failed)?;

    let server = Server::start()?;
    let mut command = Command::new(&program);
    command.args(arguments).env(URL_VARIABLE, server.url());
    if let Some(log) = server.log() {
        command.env(LOG_VARIABLE, log);
    }
    // In a terminal the command stays in our group: it may read the keyboard, and Ctrl-C reaches it by itself.
    let in_terminal = io::stdin().is_terminal();
    if !in_terminal {
        command.process_group(0);
    }
    let mut child = command.spawn().map_err(command_failed)?;
    let child_id = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let forward = |signal: Signal| {
        // It may have ended by itself in the meantime.
        let _ = child_id.map(|id| if in_terminal { kill_process(id, signal) } else { kill_process_group(id, signal) });
    };
    let status = loop {
        tokio::select! {
            status = child.wait() => break status.map_err(command_failed)?,
            _ = interrupt.recv() => if !in_terminal { forward(Signal::INT) },
            _ = terminate.recv() => forward(Signal::TERM),
        }
    };
    Ok(exit_code(status))
}

/// As a shell would say it: 128 and the signal's number for a command that a signal ended.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
