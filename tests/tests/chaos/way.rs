//! What is at work when a fault comes.

use crate::subject::BASE;
use migrate_runtime::{Database as Migrator, DownTo, Migrations, Options, Summary};
use std::time::Duration;

/// Nothing here takes that long but a migrator that waits for what never comes.
const HANGS: Duration = Duration::from_mins(1);

/// The way that a case goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// `up` from the base.
    Up,
    /// `down` to the base, by the inverse of each operation.
    Down,
    /// `down` to the base, by the same statements in `down!`.
    DownAsWritten,
    /// The same, with a change in batches in the midst of `down!`.
    DownInBatches,
    /// `up`, where an `up` before it had to skip everything, as the tables weren't there.
    Replay,
}

impl Way {
    pub const ALL: [Self; 5] = [Self::Up, Self::Down, Self::DownAsWritten, Self::DownInBatches, Self::Replay];

    /// As another process is told.
    pub fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::DownAsWritten => "down as written",
            Self::DownInBatches => "down in batches",
            Self::Replay => "replay",
        }
    }

    pub fn parse(name: &str) -> Self {
        Self::ALL.into_iter().find(|way| way.name() == name).unwrap()
    }

    pub fn is_down(self) -> bool {
        matches!(self, Self::Down | Self::DownAsWritten | Self::DownInBatches)
    }

    /// Goes it, with an end to the patience.
    pub async fn go(self, url: &str, chain: Migrations) -> Result<Summary, String> {
        self.go_with(url, chain, in_phases()).await
    }

    /// Goes it with other options.
    pub async fn go_with(self, url: &str, chain: Migrations, options: Options) -> Result<Summary, String> {
        if !self.is_down() {
            return up_with(url, chain, None, options).await;
        }
        let migrator = Migrator::new(url).map_err(|error| error.to_string())?.with_options(options);
        match tokio::time::timeout(HANGS, migrator.down(chain, &DownTo::Revision(BASE.to_owned()))).await {
            Ok(done) => done.map_err(|error| error.to_string()),
            Err(_) => Err(format!("`down` hangs for {HANGS:?}")),
        }
    }
}

/// `up`, with an end to the patience.
pub async fn up(url: &str, chain: Migrations) -> Result<Summary, String> {
    up_with(url, chain, None, in_phases()).await
}

/// Every table is large, so that what can be done in phases is, and batches stay as small as they are.
pub fn in_phases() -> Options {
    Options { large_table: 0, batch_target: Duration::from_millis(1), ..Options::default() }
}

/// `up` to a revision, with an end to the patience.
pub async fn up_with(url: &str, chain: Migrations, target: Option<&str>, options: Options) -> Result<Summary, String> {
    let migrator = Migrator::new(url).map_err(|error| error.to_string())?.with_options(options);
    match tokio::time::timeout(HANGS, migrator.up(chain, target)).await {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(_) => Err(format!("`up` hangs for {HANGS:?}")),
    }
}
