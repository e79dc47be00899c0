//! The `migrate` command line. [`main!`](crate::main) makes a binary of it.
//!
//! Data goes to stdout, progress and logs to stderr. With `--format json` stdout has one JSON document, of an error too.
//! Exit codes: 0 done or in sync, 1 failed, 2 usage, 3 pending (`check` and `lock --check` alone), 4 drift or conflict, 5 the history was
//! tampered with or has diverged, 6 another migrator holds the lock, 130 interrupted.

mod arguments;
mod commands;
mod duration;
mod failure;
mod graph;
mod interrupt;
mod lock;
mod output;
mod progress;
mod redact;
mod size;
mod text;

use crate::Migrations;
use arguments::{Arguments, ColorArgument, FormatArgument};
use clap::Parser as _;
use failure::Failure;
use output::{Format, Output};
use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

/// Makes the `migrate` binary of a chain: `mod migrations; migrate_runtime::main!(migrations);`.
///
/// The argument is the module that `migrations!` stands in. The database is named by `--database-url` or `DATABASE_URL`;
/// `main!(migrations, default = "sqlite://app.db")` names the one to work on where neither is given.
#[macro_export]
macro_rules! main {
    ($($module:ident)::+ $(,)?) => {
        fn main() -> ::std::process::ExitCode {
            $crate::cli::run($($module)::+::MIGRATIONS, ::core::option::Option::None)
        }
    };
    ($($module:ident)::+, default = $url:expr $(,)?) => {
        fn main() -> ::std::process::ExitCode {
            $crate::cli::run($($module)::+::MIGRATIONS, ::core::option::Option::Some($url))
        }
    };
}

/// Runs the command line of this process on a chain. `default_url` is the database to work on where the person names none.
#[must_use]
pub fn run(chain: Migrations, default_url: Option<&str>) -> ExitCode {
    let given: Vec<OsString> = std::env::args_os().collect();
    let code = match Arguments::try_parse_from(&given) {
        Ok(arguments) => {
            color(arguments.color).write_global();
            work(&arguments, chain, default_url)
        }
        Err(error) => refuse(&error, &given),
    };
    ExitCode::from(code)
}

fn work(arguments: &Arguments, chain: Migrations, default_url: Option<&str>) -> u8 {
    let output = Arc::new(Output::new(if arguments.format == FormatArgument::Json { Format::Json } else { Format::Text }));
    let result = commands::run(arguments, chain, default_url, &output);
    let code = match result {
        Ok(code) => code,
        Err(failure) => {
            failure.report(&output);
            failure.exit_code()
        }
    };
    match output.finish() {
        Ok(()) => code,
        Err(error) => {
            let failure = Failure::Output(error);
            failure.report_as_text();
            if code == 0 { failure.exit_code() } else { code }
        }
    }
}

/// Says what is wrong with the arguments, or gives the help that was asked for. What clap repeats of the arguments may have
/// a password in it.
fn refuse(error: &clap::Error, given: &[OsString]) -> u8 {
    if !error.use_stderr() {
        let output = Output::new(Format::Text);
        output.text(&error.render().ansi().to_string());
        return u8::from(output.finish().is_err());
    }
    let failure = Failure::Usage(error.render().ansi().to_string());
    let output = Output::new(if asks_for_json(given) { Format::Json } else { Format::Text });
    failure.report(&output);
    // the exit code is that of the usage error, whether or not anybody could read it
    let _ = output.finish();
    failure.exit_code()
}

/// Whether `--format json` is among arguments that can't be parsed.
fn asks_for_json(given: &[OsString]) -> bool {
    let pairs = given.windows(2).any(|pair| pair[0] == "--format" && pair[1] == "json");
    pairs || given.iter().any(|argument| argument == "--format=json")
}

fn color(argument: ColorArgument) -> anstream::ColorChoice {
    match argument {
        ColorArgument::Auto => anstream::ColorChoice::Auto,
        ColorArgument::Always => anstream::ColorChoice::Always,
        ColorArgument::Never => anstream::ColorChoice::Never,
    }
}
