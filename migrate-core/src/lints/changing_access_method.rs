//! `changing_access_method`: a table is stored in another way, and written anew for that.
//!
//! - **Finds**: `set access method` of a table that was there before
//! - **Blocks**: reads and writes of the table, while every row and every index is written anew
//! - **Instead**: create a table `using` the other method, keep it in step with a trigger, fill it in batches, and
//!   exchange the names
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `SET ACCESS METHOD`

use super::{Context, Findings, Lint, Work, constraints, statements};
use crate::effects::LockMode;
use squawk_syntax::ast;

pub(super) const LINT: Lint = Lint::of_statement("changing_access_method", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some((opaque, table, ast::AlterTableAction::SetAccessMethod(to))) = statements::table_action(context) else { return };
    // of a partitioned table it is what new partitions take
    if context.is_new_table(&table) || constraints::is_partitioned(context, &table) {
        return;
    }
    findings
        .find(Context::at(opaque, &to), format!("every row of `{table}` is written anew"))
        .maybe_note(context.waits(&table, LockMode::AccessExclusive, Work::Rewrites))
        .instead("create a table `using` the other method, keep it in step with a trigger, fill it in batches, and exchange the names");
}
