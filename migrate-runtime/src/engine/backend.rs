//! What the engine asks of a database.

use super::{Failure, Work};
use crate::history::{History, OperationRow, RevisionState};
use crate::{Migration, Result};
use migrate_core::schema::Schema;
use migrate_core::step::Dialect;
use migrate_core::verdict::Question;
use std::borrow::Cow;

/// One database, connected.
pub(crate) trait Backend {
    /// Which language it speaks.
    fn dialect(&self) -> Dialect;

    /// Host, port, database and user, without the password.
    fn target(&self) -> String;

    /// The model as this database can hold it, to be compared with a snapshot.
    fn project<'a>(&self, model: &'a Schema) -> Cow<'a, Schema>;

    /// The SQL of an operation here, given the schema before and after it.
    ///
    /// # Errors
    /// Where this database has nothing like it.
    fn render(
        &self,
        operation: &migrate_core::operation::Operation,
        before: &Schema,
        after: &Schema,
    ) -> Result<Vec<String>, String>;

    /// What the journal says; an empty history where there is no journal. Never writes.
    async fn history(&mut self) -> Result<History>;

    /// The outcomes of all operations of a revision, the latest word on each.
    async fn outcomes(&mut self, revision: &str) -> Result<Vec<OperationRow>>;

    /// Takes the guard, creates the journal if there is none, notes the run, and reads the history again.
    async fn guard(&mut self, command: &str) -> Result<Guarded>;

    /// Gives the guard back.
    async fn release(&mut self) -> Result<()>;

    /// The live schema, in the current transaction if there is one. Never writes.
    async fn snapshot(&mut self) -> Result<Schema>;

    /// Whether the expressions mean the same, by the server's own word. Leaves nothing behind.
    async fn answer(&mut self, questions: &[Question]) -> Result<Vec<bool>>;

    /// Does what is planned. Opens a transaction if none is open; commits it, with the journal's rows, if the work says
    /// that it is complete.
    async fn execute(&mut self, work: &mut Work<'_>) -> Result<(), Failure>;

    /// Rolls back what is open.
    async fn roll_back(&mut self) -> Result<()>;

    /// Journals a failure in a transaction of its own.
    async fn record_failure(&mut self, migration: &Migration, failure: &Failure) -> Result<()>;

    /// Records revisions without running anything, in one transaction.
    async fn record_revisions(&mut self, migrations: &[&Migration], state: RevisionState) -> Result<()>;

    /// Forgets a revision that was only stamped.
    async fn forget_revision(&mut self, migration: &Migration) -> Result<()>;
}

/// What is known once the guard is held.
#[derive(Debug)]
pub(crate) struct Guarded {
    /// What the journal says now.
    pub(crate) history: History,
}
