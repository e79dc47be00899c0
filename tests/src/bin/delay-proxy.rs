//! `delay-proxy LISTEN_PORT SERVER_PORT ROUND_TRIP_MICROSECONDS`: PostgreSQL on this machine as if it were far away.
//!
//! Writes `PORT n` when it listens (`LISTEN_PORT` 0 is any free one); at SIGTERM or SIGINT it writes a line of JSON that
//! says what went through, and exits.

#![expect(clippy::print_stderr, reason = "a command says on stderr why it fails")]

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use migrate_tests::proxy::Proxy;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((listen_port, server_port, round_trip)) = parse(&arguments) else {
        eprintln!("usage: delay-proxy LISTEN_PORT SERVER_PORT ROUND_TRIP_MICROSECONDS");
        return ExitCode::from(2);
    };
    match run(listen_port, server_port, round_trip) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(arguments: &[String]) -> Option<(u16, u16, Duration)> {
    let [listen_port, server_port, round_trip] = arguments else {
        return None;
    };
    let round_trip = Duration::from_micros(round_trip.parse().ok()?);
    Some((listen_port.parse().ok()?, server_port.parse().ok()?, round_trip))
}

#[tokio::main(flavor = "current_thread")]
async fn run(listen_port: u16, server_port: u16, round_trip: Duration) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let upstream = SocketAddr::from((Ipv4Addr::LOCALHOST, server_port));
    let proxy = Proxy::listen(listen_port, upstream, round_trip / 2)?;
    let mut output = io::stdout();
    writeln!(output, "PORT {}", proxy.address().port())?;
    output.flush()?;
    tokio::select! {
        _ = terminate.recv() => (),
        _ = interrupt.recv() => (),
    }
    writeln!(output, "{}", serde_json::to_string(&proxy.counters())?)
}
