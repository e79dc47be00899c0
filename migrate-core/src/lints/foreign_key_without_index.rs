//! `foreign_key_without_index`: nothing finds the rows that refer to a deleted one.
//!
//! - **Finds**: a new foreign key whose columns no index begins with at the end of the migration
//! - **Blocks**: every delete of a referenced row, and every change of its key, reads the whole referring table, and holds
//!   the referenced row's lock while it does
//! - **Instead**: `create index concurrently` on the columns of the key, in the same migration
//! - **Source**: PostgreSQL manual, "Foreign Keys": it is often a good idea to index the referencing columns

use super::{Context, Findings, Lint};
use crate::name::{Name, QualifiedName};
use crate::operation::Operation;
use crate::schema::{Constraint, ConstraintKind, Index, IndexKey, IndexKeyKind, Table};

pub(super) const LINT: Lint = Lint::of_history("foreign_key_without_index", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let (table, constraints): (&QualifiedName, Vec<&Constraint>) = match context.operation() {
        Some(Operation::AddConstraint(add)) => (&add.table, vec![&add.constraint]),
        Some(Operation::AddColumn(add)) => (&add.table, add.constraints.iter().collect()),
        Some(Operation::CreateTable(create)) => (&create.table.name, create.table.constraints.values().collect()),
        _ => return,
    };
    for constraint in constraints {
        let ConstraintKind::ForeignKey(key) = &constraint.kind else { continue };
        // where it was dropped or renamed again, there is nothing to say
        let Some(at_end) = context.end().table(table).filter(|at_end| at_end.constraints.contains_key(&constraint.name)) else { continue };
        let (Some(first), false) = (key.columns.first(), has_index(at_end, &key.columns)) else { continue };
        let columns = key.columns.iter().map(Name::as_str).collect::<Vec<_>>().join(", ");
        findings
            .find(first.at, format!("no index finds the rows of `{table}` by `{columns}`"))
            .note(format!("each delete in `{}`, and each change of its key, reads `{table}` whole to look for them", key.references))
            .instead(format!("add `create index concurrently on {} ({columns})` to the migration", table.quoted()));
    }
}

/// Whether an index begins with these columns, in whatever order.
fn has_index(table: &Table, columns: &[Name]) -> bool {
    let begins = |keys: Vec<Option<&Name>>| {
        let first = keys.get(..columns.len()).unwrap_or_default();
        !first.is_empty() && first.iter().all(|key| key.is_some_and(|key| columns.contains(key)))
    };
    let constraints = table.constraints.values().any(|constraint| match &constraint.kind {
        ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => begins(key.columns.iter().map(Some).collect()),
        _ => false,
    });
    let of_index = |index: &Index| begins(index.keys.iter().map(column).collect());
    constraints || table.indexes.values().any(|index| index.predicate.is_none() && of_index(index))
}

fn column(key: &IndexKey) -> Option<&Name> {
    match &key.kind {
        IndexKeyKind::Column(name) => Some(name),
        IndexKeyKind::Expression(_) => None,
    }
}
