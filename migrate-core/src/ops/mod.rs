//! The operations, one a file.

mod add_column;
mod create_table;
mod drop_column;
mod drop_table;
mod opaque;

pub use add_column::AddColumn;
pub use create_table::CreateTable;
pub use drop_column::DropColumn;
pub use drop_table::DropTable;
pub use opaque::Opaque;

use crate::report::Report;
use crate::schema::{Constraint, ConstraintKind, Schema, Table};

/// Reports what a constraint of `table` names that isn't there. `table` is the table with the constraint's columns.
pub(crate) fn check_constraint(schema: &Schema, table: &Table, constraint: &Constraint, report: &mut Report) {
    let needs_column = |column: &crate::name::Name, report: &mut Report| {
        if table.column(column.as_str()).is_none() {
            report.unknown_column_of(schema, table, column);
        }
    };
    match &constraint.kind {
        ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => {
            for column in key.columns.iter().chain(&key.include) {
                needs_column(column, report);
            }
        }
        ConstraintKind::ForeignKey(key) => {
            for column in key.columns.iter().chain(&key.on_delete_columns) {
                needs_column(column, report);
            }
            if key.references == table.name {
                for column in &key.referenced_columns {
                    needs_column(column, report);
                }
            } else if report.needs_table(schema, &key.references) {
                for column in &key.referenced_columns {
                    report.needs_column(schema, &key.references, column);
                }
            }
        }
        ConstraintKind::Check { .. } | ConstraintKind::Exclude { .. } => {}
    }
}
