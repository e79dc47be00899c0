//! A migration as the `#[migration]` macro emits it: constant data.

use crate::{Batch, Result, Tx};
use migrate_core::step::Step;
use std::future::Future;
use std::pin::Pin;

/// What a Rust step returns.
pub type StepFuture<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// A Rust step: `run backfill_titles;`.
pub type StepFunction = for<'a, 'c> fn(&'a mut Tx<'c>) -> StepFuture<'a>;

/// What a Rust step returns that works in batches: how many rows it has changed.
pub type BatchFuture<'a> = Pin<Box<dyn Future<Output = Result<u64>> + Send + 'a>>;

/// A Rust step that works in batches: `run fill_titles in batches of 1000 over documents;`.
pub type BatchFunction = for<'a, 'c> fn(&'a mut Tx<'c>, &'a Batch) -> BatchFuture<'a>;

/// One migration. Written by the `#[migration]` macro.
#[derive(Debug)]
pub struct Migration {
    /// Its revision, unique in the chain.
    pub revision: &'static str,
    /// The revisions that come before it.
    pub parents: &'static [&'static str],
    /// What people call it: the name of its file without the ending.
    pub name: &'static str,
    /// The file that it stands in.
    pub file: &'static str,
    /// The first line of its documentation.
    pub summary: &'static str,
    /// The checksum of its operations.
    pub checksum: &'static str,
    /// The steps of `up!` with those of `optional!` and `external!`, as JSON of [`migrate_core::step::Step`].
    pub up: &'static str,
    /// The way back.
    pub down: Down,
    /// The functions that its `run` steps call, by the path that was written.
    pub functions: &'static [(&'static str, StepFunction)],
    /// The functions that its `run … in batches` steps call, by the path that was written.
    pub batch_functions: &'static [(&'static str, BatchFunction)],
}

/// How a migration is reversed.
#[derive(Clone, Copy, Debug)]
pub enum Down {
    /// By the inverse of every operation that was applied.
    Derived,
    /// By the steps of `down!`, as JSON.
    Written(&'static str),
    /// Not at all, for this reason.
    Irreversible(&'static str),
}

/// A chain of migrations, as `migrations!` lists it: parents before children.
#[derive(Clone, Copy, Debug)]
pub struct Migrations {
    /// All of them, in the order in which they are applied.
    pub migrations: &'static [&'static Migration],
    /// The file that the list stands in, as the compiler names it; empty where that isn't known.
    pub file: &'static str,
}

impl Migrations {
    /// A chain that stands in no file.
    #[must_use]
    pub const fn new(migrations: &'static [&'static Migration]) -> Self {
        Self { migrations, file: "" }
    }

    /// The migration of that revision.
    #[must_use]
    pub fn find(&self, revision: &str) -> Option<&'static Migration> {
        self.migrations.iter().copied().find(|migration| migration.revision == revision)
    }
}

impl Migration {
    /// Reads the steps of `up!`.
    pub(crate) fn up_steps(&self) -> Vec<Step> {
        read_steps(self.revision, self.up)
    }

    /// Reads the steps of `down!`, if there is one.
    pub(crate) fn down_steps(&self) -> Option<Vec<Step>> {
        match self.down {
            Down::Written(json) => Some(read_steps(self.revision, json)),
            Down::Derived | Down::Irreversible(_) => None,
        }
    }

    /// The function of a `run` step.
    pub(crate) fn function(&self, path: &str) -> Option<StepFunction> {
        self.functions.iter().find(|(name, _)| *name == path).map(|(_, function)| *function)
    }

    /// The function of a `run … in batches` step.
    pub(crate) fn batch_function(&self, path: &str) -> Option<BatchFunction> {
        self.batch_functions.iter().find(|(name, _)| *name == path).map(|(_, function)| *function)
    }
}

#[expect(clippy::expect_used, reason = "the macro wrote the text with the same version of the types that read it here")]
fn read_steps(revision: &str, json: &str) -> Vec<Step> {
    let read: Result<Vec<Step>, _> = serde_json::from_str(json);
    read.map_err(|error| format!("{revision}: {error}")).expect("steps emitted by the macro are readable")
}
