//! Tables.

use super::{Column, Constraint, ConstraintKind, Index, Origin, Unmodelled};
use crate::expression::Expression;
use crate::name::{Name, QualifiedName};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Whose table it is, which decides what its absence means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Presence {
    /// Created by this chain: where it is missing, the database has drifted.
    #[default]
    Owned,
    /// Declared by `external!`: every deployment has it, this chain doesn't own it.
    External,
    /// Declared by `optional!`: where it is missing, operations on it are skipped and recorded.
    Optional,
}

/// A table, with everything that lives and dies with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its name.
    pub name: QualifiedName,
    /// Whose it is.
    #[serde(default)]
    pub presence: Presence,
    /// Columns in their order.
    pub columns: Vec<Column>,
    /// Constraints by name. Not-null is an attribute of the column, not a constraint.
    #[serde(default)]
    pub constraints: IndexMap<Name, Constraint>,
    /// Indexes by name, without those that belong to a constraint.
    #[serde(default)]
    pub indexes: IndexMap<Name, Index>,
    /// `unlogged`.
    #[serde(default)]
    pub unlogged: bool,
    /// What follows the column list, as written: `partition by …`, `inherits (…)`, `with (…)`, `partition of …`.
    #[serde(default)]
    pub options: String,
    /// The text of `comment on table`.
    #[serde(default)]
    pub comment: Option<String>,
    /// What statements that the model has no operation for left on it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unmodelled: BTreeSet<Unmodelled>,
    /// Who created it.
    #[serde(default)]
    pub origin: Origin,
}

impl Table {
    /// A table without columns.
    #[must_use]
    pub fn new(name: QualifiedName) -> Self {
        Self {
            name,
            presence: Presence::Owned,
            columns: Vec::new(),
            constraints: IndexMap::new(),
            indexes: IndexMap::new(),
            unlogged: false,
            options: String::new(),
            comment: None,
            unmodelled: BTreeSet::new(),
            origin: Origin::default(),
        }
    }

    /// The column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.as_str() == name)
    }

    /// The column of this name, to change it.
    pub fn column_mut(&mut self, name: &str) -> Option<&mut Column> {
        self.columns.iter_mut().find(|column| column.name.as_str() == name)
    }

    /// What follows `partition by`, of a partitioned table.
    #[must_use]
    pub fn partition_key(&self) -> Option<Expression> {
        self.options.starts_with("partition by").then(|| Expression::new(self.options.as_str()))
    }

    /// Whether the column is part of the partition key.
    #[must_use]
    pub fn is_partitioned_by(&self, column: &str) -> bool {
        self.partition_key().is_some_and(|key| key.mentions(column))
    }

    /// The primary key.
    #[must_use]
    pub fn primary_key(&self) -> Option<&Constraint> {
        self.constraints.values().find(|constraint| matches!(constraint.kind, ConstraintKind::PrimaryKey(_)))
    }

    /// The `partition by …` of its options.
    #[must_use]
    pub fn partitioning(&self) -> Option<Expression> {
        Expression::new(&self.options).clause(&["partition", "by"])
    }

    /// Removes a column and what PostgreSQL removes with it: every constraint and index that involves it.
    pub fn remove_column(&mut self, name: &str) {
        self.columns.retain(|column| column.name.as_str() != name);
        self.constraints.retain(|_, constraint| !constraint.kind.involves(name));
        self.indexes.retain(|_, index| !index.involves(name));
    }

    /// Lets `change` at each expression.
    pub fn each_expression(&mut self, mut change: impl FnMut(&mut Expression)) {
        for column in &mut self.columns {
            column.default.iter_mut().for_each(&mut change);
            column.generated.iter_mut().for_each(|generated| change(&mut generated.expression));
        }
        self.constraints.values_mut().for_each(|constraint| constraint.kind.each_expression(&mut change));
        self.indexes.values_mut().for_each(|index| index.each_expression(&mut change));
    }

    /// Renames a column wherever the table mentions it.
    pub fn rename_column(&mut self, from: &str, to: &Name) {
        for column in &mut self.columns {
            column.rename_column(from, to);
        }
        for constraint in self.constraints.values_mut() {
            constraint.kind.rename_column(from, to);
        }
        for index in self.indexes.values_mut() {
            index.rename_column(from, to);
        }
    }

    /// Renames a constraint, in its place.
    pub fn rename_constraint(&mut self, from: &str, to: &Name) {
        if let Some((place, _, mut constraint)) = self.constraints.shift_remove_full(from) {
            constraint.name = to.clone();
            self.constraints.shift_insert(place, to.clone(), constraint);
        }
    }
}
