//! `foreign_key_without_index`: nothing finds the rows that refer to a deleted one.
//!
//! - **Finds**: a new foreign key whose columns no index begins with at the end of the migration
//! - **Blocks**: every delete of a referenced row, and every change of its key, reads the whole referring table, and holds
//!   the referenced row's lock while it does
//! - **Instead**: `create index concurrently` on the columns of the key, in the same migration
//! - **Source**: PostgreSQL manual, "Foreign Keys": it is often a good idea to index the referencing columns

use super::{Context, Findings, Lint, new_constraints, indexes, words};

pub(super) const LINT: Lint = Lint::of_history("foreign_key_without_index", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (table, constraint, key) in new_constraints::added_foreign_keys(context) {
        // where it was dropped or renamed again, there is nothing to say
        let Some(at_end) = context.end().table(table).filter(|at_end| at_end.constraints.contains_key(&constraint.name)) else { continue };
        let (Some(first), false) = (key.columns.first(), indexes::begins_with(at_end, &key.columns)) else { continue };
        let columns = words::columns(&key.columns);
        findings
            .find(first.at, format!("no index finds the rows of `{table}` by `{columns}`"))
            .note(format!("each delete in `{}`, and each change of its key, reads `{table}` whole to look for them", key.references))
            .instead(format!("add `create index concurrently on {} ({columns})` to the migration", table.quoted()));
    }
}
