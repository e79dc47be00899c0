//! `foreign_key_type_mismatch`: the two ends of a foreign key can't hold the same values.
//!
//! - **Finds**: a new foreign key between numbers of different types, as they are at the end of the migration
//! - **Blocks**: nothing at first; the day the key outgrows the smaller type, rows can no longer refer to it, and changing the
//!   type then writes the table anew
//! - **Instead**: give the referring column the type of the column that it refers to
//! - **Source**: PostgreSQL manual, "Numeric Types"; squawk `prefer-bigint-over-int`

use super::{Context, Findings, Lint, new_constraints};
use crate::data_type::{BaseType, DataType};
use crate::name::Name;
use crate::schema::{ObjectKey, Table};

pub(super) const LINT: Lint = Lint::of_history("foreign_key_type_mismatch", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (table, constraint, key) in new_constraints::added_foreign_keys(context) {
        let (Some(own), Some(target)) = (context.end().table(table), context.end().table(&key.references)) else { continue };
        if !own.constraints.contains_key(&constraint.name) {
            continue;
        }
        for (column, referenced) in key.columns.iter().zip(&key.referenced_columns) {
            let Some((from, to)) = mismatch(own, column, target, referenced) else { continue };
            let maker = context.creator(&ObjectKey::Column(key.references.clone(), referenced.clone()));
            let at = if column.at.end > 0 { column.at } else { new_constraints::at(table, constraint) };
            findings
                .find(at, format!("`{column}` is `{from}`, and `{}.{referenced}`, to which it refers, is `{to}`", key.references))
                .maybe_note(maker.map(|place| format!("`{}.{referenced}` was created by {place}", key.references)))
                .instead(format!("make `{column}` `{to}`"));
        }
    }
}

/// The types of both ends, where they are numbers of different types.
pub(super) fn mismatch<'a>(own: &'a Table, column: &Name, target: &'a Table, referenced: &Name) -> Option<(&'a DataType, &'a DataType)> {
    let (from, to) = (&own.column(column.as_str())?.data_type, &target.column(referenced.as_str())?.data_type);
    let number = |data_type: &DataType| match &data_type.base {
        BaseType::Builtin(name) => matches!(name.as_str(), "smallint" | "integer" | "bigint" | "numeric" | "real" | "double precision"),
        BaseType::Named(_) => false,
    };
    (number(from) && number(to) && from.base != to.base).then_some((from, to))
}
