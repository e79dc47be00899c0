//! What the engine asks of a database.

use super::{CursorPlace, Direction, Failure, Sizes, Work};
use crate::history::{History, OperationRow, RevisionState};
use crate::{Error, Migration, Result};
use migrate_core::effects::Effects;
use migrate_core::operation::Operation;
use migrate_core::ops::Batched;
use migrate_core::schema::{Origin, Schema};
use migrate_core::sqlite::Unsupported;
use migrate_core::step::Dialect;
use migrate_core::verdict::{Answers, Change, Question, Verdict};
use std::borrow::Cow;
use std::time::Duration;

/// What operations come to on a kind of database, whatever a database holds: nobody has to be asked.
pub(crate) trait Rules {
    /// The model as this kind of database can hold it, to be compared with a snapshot.
    fn project(model: &Schema) -> Cow<'_, Schema>;

    /// Applies an operation to the model and tells what that changes on this kind of database.
    fn advance(model: &mut Schema, operation: &Operation, origin: &Origin) -> Vec<Change>;

    /// Whether an operation still has to be done on the live schema. `model` has at least the tables that it is about, as
    /// they are before it.
    fn verdict(operation: &Operation, changes: &[Change], model: &Schema, live: &Schema, answers: &Answers) -> Verdict;

    /// What does an operation, given the model and the live schema before it. `native`: its text was written for this
    /// kind of database alone.
    ///
    /// # Errors
    /// Where this kind of database has nothing like it.
    fn render(operation: &Operation, native: bool, model: &Schema, live: &Schema) -> Result<Rendered, Unsupported>;
}

/// One database, connected.
pub(crate) trait Backend: Rules {
    /// Which language it speaks.
    fn dialect(&self) -> Dialect;

    /// Host, port, database and user, without the password.
    fn target(&self) -> String;

    /// What the journal says; an empty history where there is no journal. Never writes.
    async fn history(&mut self) -> Result<History>;

    /// The outcomes of all operations of a revision, the latest word on each since it was last reversed, and of those that
    /// reverse it.
    async fn outcomes(&mut self, revision: &str) -> Result<Vec<OperationRow>>;

    /// Takes the guard, creates the journal if there is none, notes the run, and reads the history again.
    async fn guard(&mut self, command: &str) -> Result<Guarded>;

    /// Connects anew after the connection broke, and ends what is left of the old session: then it is decided whether what
    /// it was committing is committed. The guard is gone with it.
    async fn reconnect(&mut self) -> Result<()>;

    /// Gives the guard back.
    async fn release(&mut self) -> Result<()>;

    /// The live schema, in the current transaction if there is one. Never writes.
    async fn snapshot(&mut self) -> Result<Schema>;

    /// The tables that are large, as of the last snapshot; `None` where that makes no difference.
    fn sizes(&self) -> Option<Sizes> {
        None
    }

    /// Whether the expressions mean the same, by the server's own word. Leaves nothing behind.
    async fn answer(&mut self, questions: &[Question]) -> Result<Vec<bool>>;

    /// How far a change in batches has come that isn't done.
    async fn passed(&mut self, place: &CursorPlace) -> Result<Passed>;

    /// Does what is planned. Opens a transaction if none is open; commits it, with the journal's rows, if the work says
    /// that it is complete.
    ///
    /// # Errors
    /// [`Failure::Overtaken`], where somebody has changed what the plan rests on: then nothing was done, the history has to
    /// be read again, and nobody can change it any more until that plan is executed.
    async fn execute(&mut self, work: &mut Work) -> Result<(), Failure>;

    /// Whether the work can be sent before that of the migration before it has been answered.
    fn can_be_sent_ahead(work: &Work) -> bool;

    /// Does the works of several migrations with one message, each in a transaction of its own, as far as that goes. All
    /// of them can be sent ahead, and none has been begun. What fails is left open, and nothing after it is done.
    async fn execute_together(&mut self, works: &[Work], hears: Hears<'_>) -> Together;

    /// Rolls back what is open.
    async fn roll_back(&mut self) -> Result<()>;

    /// Journals a failure in a transaction of its own. Tells whether it could: the lock that the failure is about may stand
    /// in the way of that too.
    async fn record_failure(&mut self, migration: &Migration, direction: Direction, failure: &Failure) -> Result<bool>;

    /// Records revisions without running anything, in one transaction.
    async fn record_revisions(&mut self, migrations: &[&Migration], state: RevisionState) -> Result<(), Failure>;

    /// Forgets a revision that was only stamped.
    async fn forget_revision(&mut self, migration: &Migration) -> Result<(), Failure>;
}

/// How far a change in batches has come.
#[derive(Clone, Debug)]
pub(crate) struct Passed {
    /// How many rows are done and committed.
    pub(crate) rows: u64,
    /// What has the journal forget that.
    pub(crate) forget: String,
}

/// What becomes of the work of a migration among others.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "SQLite's work is done at once"))]
pub(crate) enum Course<'a> {
    /// Its transaction is open.
    Begun,
    /// It is committed.
    Committed {
        /// How long its steps took.
        durations: &'a [Duration],
        /// How long all of it took.
        took: Duration,
    },
}

/// Hears of each work.
pub(crate) type Hears<'a> = &'a mut (dyn FnMut(&Work, Course<'_>) + Send);

/// What became of the works of several migrations.
#[derive(Debug)]
pub(crate) struct Together {
    /// How many of them were sent, from the first one on: a message has an end.
    pub(crate) sent: usize,
    /// How many of those are known to be committed.
    pub(crate) done: usize,
    /// The error, if it is that the connection broke: then more of them may be.
    pub(crate) lost: Option<Error>,
}

/// What does an operation.
#[derive(Debug, Default)]
pub(crate) struct Rendered {
    /// The statements.
    pub(crate) sql: Vec<String>,
    /// What they do to a running system, where that isn't what the operation does on PostgreSQL.
    pub(crate) effects: Option<Effects>,
    /// The live schema after it, where that isn't the operation applied to it.
    pub(crate) live: Option<Schema>,
    /// What is done to the rows of a batch, where it is done in batches.
    pub(crate) batched: Option<Batched>,
}

/// What is known once the guard is held.
#[derive(Debug)]
pub(crate) struct Guarded {
    /// What the journal says now.
    pub(crate) history: History,
}
