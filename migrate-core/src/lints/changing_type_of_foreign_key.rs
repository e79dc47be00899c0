//! `changing_type_of_foreign_key`: one end of a foreign key gets another type, and the other end doesn't.
//!
//! - **Finds**: a change of a number's type after which the two ends of a foreign key differ at the end of the migration,
//!   where they were the same before
//! - **Blocks**: nothing at first; what the larger end can hold, the smaller one can't, and the insert fails with SQLSTATE
//!   22003
//! - **Instead**: change the other end, too
//! - **Source**: PostgreSQL manual, "Numeric Types"

use super::{Context, Findings, Lint, columns, new_constraints, foreign_key_type_mismatch::mismatch};
use crate::name::{Name, QualifiedName};
use crate::operation::Operation;

pub(super) const LINT: Lint = Lint::of_history("changing_type_of_foreign_key", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::AlterColumnType(alter)) = context.operation() else { return };
    let (table, column) = (&alter.table, &alter.column);
    for (own, from, references, to) in ends(context, table, column) {
        let schemas = [context.start(), context.end()];
        let [at_start, at_end] = schemas.map(|schema| {
            let (own, target) = (schema.table(own)?, schema.table(references)?);
            Some((own, target, mismatch(own, from, target, to)))
        });
        // a key that came with this migration has its own lint
        let (Some((old, _, None)), Some((new, _, Some(_)))) = (at_start, at_end) else { continue };
        let has_key = |table: &crate::schema::Table| {
            new_constraints::foreign_keys(table).any(|(_, key)| key.references == *references && key.columns.contains(from))
        };
        if !has_key(old) || !has_key(new) {
            continue;
        }
        let other = if own == table && from == column { format!("{references}.{to}") } else { format!("{own}.{from}") };
        let data_type = &alter.data_type;
        findings
            .find(columns::at(column, data_type), format!("`{other}`, at the other end of a foreign key, doesn't become `{data_type}`"))
            .maybe_note(context.wait(table))
            .instead(format!("change the type of `{other}` to `{data_type}`, too"));
    }
}

/// Each foreign key with the column on one of its ends: the referring table and column, the referenced table and column.
fn ends<'a>(
    context: &Context<'a>,
    table: &QualifiedName,
    column: &Name,
) -> Vec<(&'a QualifiedName, &'a Name, &'a QualifiedName, &'a Name)> {
    let mut ends = Vec::new();
    for own in context.before().tables_around(table) {
        for (_, key) in new_constraints::foreign_keys(own) {
            for (from, to) in key.columns.iter().zip(&key.referenced_columns) {
                let is_own = own.name == *table && from == column;
                if is_own || (key.references == *table && to == column) {
                    ends.push((&own.name, from, &key.references, to));
                }
            }
        }
    }
    ends
}
