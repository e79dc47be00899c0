//! `table_without_primary_key`: nothing tells the rows of a table apart.
//!
//! - **Finds**: a new table that has neither a primary key nor a unique key of columns without nulls at the end of the
//!   migration
//! - **Blocks**: updates and deletes fail once the table is published for logical replication; a row that was inserted twice
//!   can't be deleted once
//! - **Instead**: give it a primary key: of its own columns, or `bigint generated always as identity`
//! - **Source**: PostgreSQL manual, "Primary Keys"; "Publication"

use super::{Context, Findings, Lint};
use crate::operation::Operation;
use crate::schema::{ConstraintKind, IndexKeyKind, Table};

pub(super) const LINT: Lint = Lint::of_history("table_without_primary_key", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::CreateTable(create)) = context.operation() else { return };
    let name = &create.table.name;
    // what it takes from others may tell them apart; a partition has the keys of its parent
    if create.unknown || !create.table.inherits.is_empty() || create.table.partition.is_some() {
        return;
    }
    if context.before().table(name).is_some() || context.end().table(name).is_none_or(identifies_rows) {
        return;
    }
    findings
        .find(name.at(), format!("nothing tells two rows of `{name}` apart"))
        .instead(format!("give `{name}` a primary key"));
}

fn identifies_rows(table: &Table) -> bool {
    let required = |column: &crate::name::Name| table.column(column.as_str()).is_some_and(|column| column.not_null);
    let constraints = table.constraints.values().any(|constraint| match &constraint.kind {
        ConstraintKind::PrimaryKey(_) => true,
        ConstraintKind::Unique(key) => key.columns.iter().all(required),
        _ => false,
    });
    let of_columns = |index: &crate::schema::Index| {
        index.keys.iter().all(|key| matches!(&key.kind, IndexKeyKind::Column(column) if required(column)))
    };
    constraints || table.indexes.values().any(|index| index.unique && index.predicate.is_none() && of_columns(index))
}
