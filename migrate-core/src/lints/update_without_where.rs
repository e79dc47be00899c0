//! `update_without_where`: every row of a table gets the same treatment, and nothing says that it should.
//!
//! - **Finds**: `update` of a table that was there before, without `where`, that writes a column that was there before
//! - **Blocks**: every other write of each row, until the migration commits; the old values are lost
//! - **Instead**: say which rows are meant; `where true`, if all of them are
//! - **Source**: PostgreSQL manual, `UPDATE`

use super::data;
use super::{Context, Findings, Lint, words};
use crate::effects::TransactionNeed;
use crate::schema::ObjectKey;

pub(super) const LINT: Lint = Lint::of_statement("update_without_where", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    for write in data::unsaid(context, "update") {
        let table = &write.table;
        if context.old_table(table).is_none() {
            continue;
        }
        let old: Vec<_> = write.columns.iter().filter(|column| !context.is_new(&ObjectKey::Column(table.clone(), (*column).clone()))).collect();
        if old.is_empty() {
            continue;
        }
        let note = format!("other writes of a row of `{table}` wait from its update until the migration commits");
        findings
            .find(write.at, format!("`{}` is overwritten in every row of `{table}`", words::columns(old)))
            // in batches they wait for one batch
            .maybe_note(Some(note).filter(|_| context.effects().transaction != TransactionNeed::Outside))
            .instead("say which rows are meant, and write `where true` if all of them are");
    }
}
