//! The operations, one a file.

mod add_column;
mod add_identity;
mod alter_column;
mod alter_column_type;
mod alter_identity;
mod create_table;
mod drop_column;
mod drop_default;
mod drop_expression;
mod drop_identity;
mod drop_not_null;
mod drop_table;
mod opaque;
mod rename_column;
mod rename_table;
mod set_default;
mod set_not_null;

pub use add_column::AddColumn;
pub use add_identity::AddIdentity;
pub use alter_column_type::AlterColumnType;
pub use alter_identity::AlterIdentity;
pub use create_table::CreateTable;
pub use drop_column::DropColumn;
pub use drop_default::DropDefault;
pub use drop_expression::DropExpression;
pub use drop_identity::DropIdentity;
pub use drop_not_null::DropNotNull;
pub use drop_table::DropTable;
pub use opaque::Opaque;
pub use rename_column::RenameColumn;
pub use rename_table::RenameTable;
pub use set_default::SetDefault;
pub use set_not_null::SetNotNull;

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
