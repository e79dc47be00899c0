//! `dropping_index_of_foreign_key`: the rows that refer to a deleted one can no longer be found.
//!
//! - **Finds**: a dropped index or unique constraint that was the last to begin with the columns of a foreign key that stays
//! - **Blocks**: every delete of a referenced row, and every change of its key, reads the whole referring table, and holds
//!   the referenced row's lock while it does
//! - **Instead**: build an index that begins with the columns of the foreign key in the same migration, before the drop
//! - **Source**: PostgreSQL manual, "Foreign Keys": it is often a good idea to index the referencing columns

use super::{Context, Findings, Lint, new_constraints, indexes, words};
use crate::name::QualifiedName;
use crate::operation::{Operate, Operation};
use crate::schema::{ObjectKey, Origin};

pub(super) const LINT: Lint = Lint::of_history("dropping_index_of_foreign_key", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some((table, operation)) = dropped_from(context) else { return };
    let mut after = context.before().clone();
    operation.apply(&mut after, &Origin::default());
    let (Some(before), Some(after), Some(end)) = (context.before().table(table), after.table(table), context.end().table(table)) else { return };
    for (constraint, key) in new_constraints::foreign_keys(before) {
        let stays = end.constraints.contains_key(&constraint.name);
        let lost = indexes::begins_with(before, &key.columns) && !indexes::begins_with(after, &key.columns);
        if !stays || !lost || indexes::begins_with(end, &key.columns) {
            continue;
        }
        let columns = words::columns(&key.columns);
        let maker = context.creator(&ObjectKey::Constraint(table.clone(), constraint.name.clone()));
        findings
            .find(context.place(), format!("nothing else finds the rows of `{table}` by `{columns}`, and `{}` needs to", constraint.name))
            .note(format!("each delete in `{}`, and each change of its key, reads `{table}` whole to look for them", key.references))
            .maybe_note(maker.map(|place| format!("foreign key `{}` was created by {place}", constraint.name)))
            .instead(format!("keep it, or build another index that begins with `{columns}` before the drop"));
    }
}

/// The older table from which the step drops an index.
fn dropped_from<'a>(context: &Context<'a>) -> Option<(&'a QualifiedName, &'a Operation)> {
    let operation = context.operation()?;
    let table = match operation {
        Operation::DropIndex(drop) => &context.before().table_of_index(&drop.name)?.name,
        Operation::DropConstraint(drop) => &drop.table,
        _ => return None,
    };
    context.old_table(table).map(|table| (&table.name, operation))
}
