//! What can be written on the command line.

use super::{duration, size};
use crate::DownTo;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::time::Duration;

/// Transaction-safe database migrations.
#[derive(Debug, Parser)]
#[command(name = "migrate", version, max_term_width = 120, after_help = EXIT_CODES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
    #[command(flatten)]
    pub(super) database: DatabaseArguments,
    /// How to write the result to stdout; json: one document, of an error too
    #[arg(long, global = true, value_enum, default_value_t = FormatArgument::Text)]
    pub(super) format: FormatArgument,
    /// Log to stderr what is done; twice: every statement too
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    pub(super) verbose: u8,
    /// Write nothing to stderr but errors
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// When to use colors; auto heeds `NO_COLOR` and `CLICOLOR_FORCE`
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = ColorArgument::Auto)]
    pub(super) color: ColorArgument,
    /// Draw no progress bar
    #[arg(long, global = true)]
    pub(super) no_progress: bool,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done, or in sync
  1  failed
  2  wrong usage
  3  revisions are pending (`check`), or not locked (`lock --check`)
  4  drift: the database is otherwise than its history says
  5  the history was tampered with or has diverged
  6  another migrator holds the lock
  130  interrupted";

/// Which database, and how patiently.
#[derive(Args, Debug)]
pub(super) struct DatabaseArguments {
    // neither the environment's value nor a given one may turn up in the help: it has a password
    #[arg(long, global = true, env = "DATABASE_URL", hide_env_values = true, value_name = "URL",
        help = format!("The database: {}", crate::api::spellings()))]
    pub(super) database_url: Option<String>,
    /// How long a statement may wait for a lock before the migration steps back and lets the application pass
    #[arg(long, global = true, value_name = "DURATION", default_value = "500ms", value_parser = duration::positive)]
    pub(super) lock_timeout: Duration,
    /// How long to go on trying after that, all attempts together
    #[arg(long, global = true, value_name = "DURATION", default_value = "2m", value_parser = duration::any)]
    pub(super) lock_budget: Duration,
    /// From which size on a table is large: what would keep it locked while every row is read or written is done in
    /// phases; `never`: none is
    #[arg(long, global = true, value_name = "SIZE", default_value = "64MiB", value_parser = size::any)]
    pub(super) large_table: u64,
    /// How long to wait for another migrator
    #[arg(long, global = true, value_name = "DURATION", default_value = "1m", value_parser = duration::any)]
    pub(super) wait: Duration,
    /// How long to try to connect anew when the connection breaks, to find out what became of the migration
    #[arg(long, global = true, value_name = "DURATION", default_value = "1m", value_parser = duration::any)]
    pub(super) reconnect: Duration,
    /// How long a batch of a `backfill` should take
    #[arg(long, global = true, value_name = "DURATION", default_value = "500ms", value_parser = duration::positive)]
    pub(super) batch_target: Duration,
    /// How far a standby may lag behind before the next batch of a `backfill` waits for it
    #[arg(long, global = true, value_name = "DURATION", default_value = "10s", value_parser = duration::any)]
    pub(super) max_lag: Duration,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Apply what is pending, and what was skipped before and can be done now
    Up {
        /// Go no further than this revision
        #[arg(long, value_name = "REVISION")]
        to: Option<String>,
        /// Only show what would be done, as `plan` does
        #[arg(long)]
        dry_run: bool,
    },
    /// Reverse what `up` did on this database: the last revision, if nothing else is said
    Down(DownArguments),
    /// Show every revision and what the database says of it
    Status,
    /// Draw the graph of revisions, the newest first
    History,
    /// Show where the database stands
    Current,
    /// List the operations that are skipped because what they work on is absent
    Skipped,
    /// Show what `up` would do on this database; writes nothing
    Plan {
        /// Go no further than this revision
        #[arg(long, value_name = "REVISION")]
        to: Option<String>,
        /// Print the SQL
        #[arg(long)]
        sql: bool,
    },
    /// Record a revision and all before it without running anything
    Stamp {
        /// The revision, its name, or `head`
        revision: String,
    },
    /// Say whether the database is in sync: exit code 3 if revisions are pending, 4 if the schema has drifted
    Check,
    /// Write down in `migrations.lock` what the migrations do, so that nobody edits a released one; needs no database
    Lock {
        /// Only say what is not locked: exit code 3 if something isn't
        #[arg(long)]
        check: bool,
    },
    /// Print a completion script
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// How far to go back.
#[derive(Args, Debug)]
#[group(multiple = false)]
pub(super) struct DownArguments {
    /// Go back to this revision, which stays
    #[arg(long, value_name = "REVISION")]
    to: Option<String>,
    /// Reverse that many revisions
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    steps: Option<u32>,
    /// Reverse all revisions
    #[arg(long)]
    base: bool,
}

impl DownArguments {
    pub(super) fn target(&self) -> DownTo {
        match (&self.to, self.steps, self.base) {
            (Some(revision), ..) => DownTo::Revision(revision.clone()),
            (None, _, true) => DownTo::Base,
            (None, steps, false) => DownTo::Steps(steps.map_or(1, |steps| usize::try_from(steps).unwrap_or(usize::MAX))),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FormatArgument {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorArgument {
    Auto,
    Always,
    Never,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn down_goes_one_step_unless_told_otherwise() {
        let down = |arguments: &[&str]| {
            let parsed = Arguments::try_parse_from([&["migrate", "down"], arguments].concat());
            parsed.map(|parsed| match parsed.command {
                Command::Down(down) => down.target(),
                other => panic!("{other:?}"),
            })
        };
        assert_eq!(down(&[]).unwrap(), DownTo::Steps(1));
        assert_eq!(down(&["--steps", "3"]).unwrap(), DownTo::Steps(3));
        assert_eq!(down(&["--base"]).unwrap(), DownTo::Base);
        assert_eq!(down(&["--to", "abc"]).unwrap(), DownTo::Revision("abc".to_owned()));
        assert!(down(&["--steps", "0"]).is_err());
        assert!(down(&["--steps", "1", "--base"]).is_err());
        assert!(down(&["--to", "abc", "--steps", "1"]).is_err());
    }
}
