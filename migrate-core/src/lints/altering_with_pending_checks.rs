//! `altering_with_pending_checks`: rows are written whose foreign keys are checked at the commit, and their table is altered
//! before.
//!
//! - **Finds**: `alter table` or `drop table` after rows of it were written in the same transaction, where a foreign key of it, or
//!   to it, is `initially deferred`
//! - **Blocks**: nothing; the migration fails with SQLSTATE 55006 as soon as a row is written, and works where there is none
//! - **Instead**: `set constraints all immediate` between the two
//! - **Source**: PostgreSQL manual, `SET CONSTRAINTS`; `CheckTableNotInUse` of `src/backend/commands/tablecmds.c`

use super::{Context, Findings, Lint, data, new_constraints};
use crate::effects::LockMode;
use crate::name::QualifiedName;
use crate::operation::Operation;
use crate::schema::{Deferral, ObjectKey};

pub(super) const LINT: Lint = Lint::of_history("altering_with_pending_checks", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(operation) = context.operation() else { return };
    if matches!(operation, Operation::Opaque(_) | Operation::CreateIndex(_) | Operation::CreateTable(_) | Operation::CommentOn(_)) {
        return;
    }
    let strong = context.locks_on_old_tables().filter(|(_, mode)| *mode >= LockMode::ShareRowExclusive);
    let tables: Vec<_> = strong.map(|(table, _)| table).collect();
    for table in tables {
        let Some(key) = deferred(context, table) else { continue };
        let written = context.in_transaction().find_map(|(operation, _)| match operation {
            Operation::Opaque(opaque) if opaque.kind == "set constraints" => Some(false),
            Operation::Opaque(opaque) => data::writes_to(opaque, table).then_some(true),
            _ => None,
        });
        if written == Some(true) {
            findings
                .find(context.place(), format!("rows of `{table}` were written, and `{key}` is checked at the commit: until then `{table}` can't be altered"))
                .maybe_note(context.creator(&ObjectKey::Table(table.clone())).map(|place| format!("`{table}` was created by {place}")))
                .instead("write `set constraints all immediate` before");
            return;
        }
    }
}

/// A foreign key of the table, or to it, that is checked at the commit.
fn deferred<'a>(context: &Context<'a>, table: &QualifiedName) -> Option<&'a crate::name::Name> {
    let keys = context.before().tables_around(table).flat_map(|other| new_constraints::foreign_keys(other).map(move |key| (other, key)));
    let mut deferred = keys.filter(|(other, (constraint, key))| {
        constraint.deferral == Deferral::Deferred && (other.name == *table || key.references == *table)
    });
    deferred.next().map(|(_, (constraint, _))| &constraint.name)
}
