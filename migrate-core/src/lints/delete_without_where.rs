//! `delete_without_where`: a table is emptied, and nothing says that it should be.
//!
//! - **Finds**: `delete` from a table that was there before, without `where`
//! - **Blocks**: every other write of each row, until the migration commits; the rows are lost, and those of other tables that
//!   refer to them with `on delete cascade`
//! - **Instead**: say which rows are meant; `where true`, if all of them are
//! - **Source**: PostgreSQL manual, `DELETE`

use super::data;
use super::{Context, Findings, Lint, new_constraints, words};
use crate::schema::{ObjectKey, ReferentialAction};

pub(super) const LINT: Lint = Lint::of_statement("delete_without_where", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    for write in data::unsaid(context, "delete") {
        let table = &write.table;
        if context.old_table(table).is_none() {
            continue;
        }
        let follows = |other: &&crate::schema::Table| {
            new_constraints::foreign_keys(other)
                .any(|(_, key)| key.references == *table && key.on_delete == ReferentialAction::Cascade && other.name != *table)
        };
        let followers: Vec<_> = context.before().tables.values().filter(follows).map(|other| ObjectKey::Table(other.name.clone())).collect();
        let note = format!("rows of {} go with them", words::objects(&followers));
        findings
            .find(write.at, format!("every row of `{table}` is deleted"))
            .maybe_note(Some(note).filter(|_| !followers.is_empty()))
            .instead("say which rows are meant, and write `where true` if all of them are");
    }
}
