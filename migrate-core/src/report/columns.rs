//! Messages about columns that are there, but not such that the operation is possible.

use super::Report;
use crate::data_type::DataType;
use crate::name::{At, Name, QualifiedName};
use crate::schema::{Column, ObjectKey, Schema};

impl Report {
    /// The column, if table and column are known; otherwise says what isn't.
    pub fn column<'a>(&mut self, schema: &'a Schema, table: &QualifiedName, column: &Name) -> Option<&'a Column> {
        if !self.needs_table(schema, table) || !self.needs_column(schema, table, column) {
            return None;
        }
        schema.column(table, column.as_str())
    }

    /// An identity column takes its values from its sequence, and is never null.
    pub fn is_identity(&mut self, table: &QualifiedName, column: &Name, help: &str) {
        self.problem(column.at, format!("column `{table}.{column}` is an identity column")).help = Some(help.to_owned());
    }

    /// A generated column takes its values from its expression.
    pub fn is_generated(&mut self, table: &QualifiedName, column: &Name, help: &str) {
        self.problem(column.at, format!("column `{table}.{column}` is a generated column")).help = Some(help.to_owned());
    }

    /// The column has no sequence to change or drop.
    pub fn is_no_identity(&mut self, table: &QualifiedName, column: &Name) {
        self.problem(column.at, format!("column `{table}.{column}` is not an identity column"));
    }

    /// The column can't be null, because of what it is.
    pub fn in_primary_key(&mut self, table: &QualifiedName, column: &Name, constraint: &Name) {
        self.problem(column.at, format!("column `{table}.{column}` is part of the primary key")).help =
            Some(format!("drop constraint `{constraint}` first"));
    }

    /// An identity needs an integer, not null, without a default.
    pub fn check_identity(&mut self, table: &QualifiedName, column: &Column, at: At) {
        if !column.data_type.is_integer() {
            let message = format!("column `{table}.{}` is of type `{}`, which can't be an identity", column.name, column.data_type);
            self.problem(at, message).help = Some("make it `smallint`, `integer` or `bigint`".to_owned());
        }
        if column.default.is_some() {
            self.problem(at, format!("column `{table}.{}` has a default, and can't be an identity, too", column.name)).help =
                Some("drop the default first".to_owned());
        }
        if column.generated.is_some() {
            self.problem(at, format!("column `{table}.{}` is generated, and can't be an identity, too", column.name));
        }
    }

    /// PostgreSQL knows no way from the one type to the other that it would take by itself.
    pub fn no_assignment_cast(&mut self, table: &QualifiedName, column: &Name, from: &DataType, to: &DataType, at: At) {
        let by_text = if from.named().is_some() && to.named().is_some() { "::text" } else { "" };
        self.problem(at, format!("column `{table}.{column}` can't be cast from `{from}` to `{to}` automatically")).help =
            Some(format!("write how: `using {}{by_text}::{to}`", column.quoted()));
    }

    /// PostgreSQL neither changes nor drops what decides in which partition a row is.
    pub fn in_partition_key(&mut self, table: &QualifiedName, column: &Name) {
        self.problem(column.at, format!("column `{table}.{column}` is part of the partition key"));
    }

    /// Something depends on the column that doesn't fall or follow by itself.
    pub fn column_has_dependent(&mut self, table: &QualifiedName, column: &Name, dependent: &ObjectKey, help: String) {
        self.problem(column.at, format!("{} depends on column `{table}.{column}`", named(dependent))).help = Some(help);
    }
}

/// ``constraint `a_fkey` of table `b` ``.
pub(super) fn named(key: &ObjectKey) -> String {
    match key {
        ObjectKey::Constraint(table, name) | ObjectKey::Policy(table, name) => format!("{} `{name}` of table `{table}`", key.kind()),
        ObjectKey::Trigger(_, name) => format!("trigger `{name}`"),
        key => format!("{} `{}`", key.kind(), key.name()),
    }
}
