//! Runs transaction-safe database migrations whose SQL rustc has checked.
//!
//! Write migrations with [`migration`] and list them with [`migrations`]; run them with the `migrate` command
//! ([`main`], feature `cli`) or from an application with [`Migrations::up`].

mod api;
mod batch;
#[cfg(feature = "cli")]
pub mod cli;
mod engine;
mod error;
mod history;
mod migration;
#[cfg(feature = "postgres")]
#[doc(hidden)]
pub mod postgres;
#[cfg(feature = "sqlite")]
#[doc(hidden)]
pub mod sqlite;
mod tx;

pub use api::{Database, IntoTarget, Target};
pub use batch::Batch;
pub use engine::{
    BackfillProgress, Blocker, Building, CheckReport, DownTo, Event, Observer, OperationReport, Options, Plan, PlannedDisk,
    PlannedOperation, PlannedPhase, PlannedRevision, RevisionReport, RevisionStatus, SkippedOperation, Stamped, Status, Summary,
};
pub use error::{Error, Place, Result};
pub use history::{Head, Outcome, RevisionState};
pub use migrate_macros::{migration, migrations};
pub use migration::{BatchFunction, BatchFuture, Down, Migration, Migrations, StepFunction, StepFuture};
pub use tx::Tx;

/// What every migration module has in scope.
pub mod prelude {
    pub use crate::{Batch, Tx};
}
