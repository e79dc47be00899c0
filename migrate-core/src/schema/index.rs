//! Indexes that don't belong to a constraint.

use super::constraint::rename_in;
use crate::expression::Expression;
use crate::name::Name;
use serde::{Deserialize, Serialize};

/// An index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Its name, given or generated; it lives in the table's schema.
    pub name: Name,
    /// `unique`.
    #[serde(default)]
    pub unique: bool,
    /// The access method: `btree` where none was written.
    pub method: String,
    /// What is indexed.
    pub keys: Vec<IndexKey>,
    /// `include (…)`.
    #[serde(default)]
    pub include: Vec<Name>,
    /// `nulls not distinct` (PostgreSQL 15).
    #[serde(default)]
    pub nulls_not_distinct: bool,
    /// `where …`.
    #[serde(default)]
    pub predicate: Option<Expression>,
    /// `with (…)`: storage parameters as written, without the parentheses.
    #[serde(default)]
    pub storage: String,
    /// `tablespace`, where one was named.
    #[serde(default)]
    pub tablespace: Option<Name>,
    /// `on only` a partitioned table.
    #[serde(default)]
    pub only: bool,
    /// `indisvalid and indisready`: false for what a failed concurrent build left behind.
    #[serde(default = "yes")]
    pub valid: bool,
    /// The text of `comment on index`.
    #[serde(default)]
    pub comment: Option<String>,
    /// Of a partition: the index of the partitioned table that it is the part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Name>,
}

fn yes() -> bool {
    true
}

/// One key of an index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexKey {
    /// A column or an expression.
    pub kind: IndexKeyKind,
    /// `collate`, where it differs from the column's.
    #[serde(default)]
    pub collation: Option<String>,
    /// The operator class, with its options as `class (name=value)`. One that is its type's default may stand here or not.
    #[serde(default)]
    pub operator_class: Option<String>,
    /// `desc`.
    #[serde(default)]
    pub descending: bool,
    /// `nulls first`: PostgreSQL's default for `desc`, and only for it.
    #[serde(default)]
    pub nulls_first: bool,
}

/// What a key of an index is computed from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IndexKeyKind {
    /// A column.
    Column(Name),
    /// An expression, without the outer parentheses.
    Expression(Expression),
}

impl Index {
    /// Whether it falls when `column` of its table is dropped.
    #[must_use]
    pub fn involves(&self, column: &str) -> bool {
        self.include.iter().any(|name| *name == column)
            || self.predicate.as_ref().is_some_and(|predicate| predicate.mentions(column))
            || self.keys.iter().any(|key| match &key.kind {
                IndexKeyKind::Column(name) => *name == column,
                IndexKeyKind::Expression(expression) => expression.mentions(column),
            })
    }

    /// Whether it has an expression for a key, or a condition.
    #[must_use]
    pub fn is_computed(&self) -> bool {
        self.predicate.is_some() || self.keys.iter().any(|key| matches!(key.kind, IndexKeyKind::Expression(_)))
    }

    /// Follows the rename of a column of its table.
    pub fn rename_column(&mut self, from: &str, to: &Name) {
        rename_in(&mut self.include, from, to);
        if let Some(predicate) = &mut self.predicate {
            predicate.rename_column(from, to);
        }
        for key in &mut self.keys {
            match &mut key.kind {
                IndexKeyKind::Column(name) => rename_in(std::slice::from_mut(name), from, to),
                IndexKeyKind::Expression(expression) => expression.rename_column(from, to),
            }
        }
    }

    /// Its expressions.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let keys = self.keys.iter().filter_map(|key| match &key.kind {
            IndexKeyKind::Expression(expression) => Some(expression),
            IndexKeyKind::Column(_) => None,
        });
        keys.chain(&self.predicate)
    }

    /// Lets `change` at each expression.
    pub fn each_expression(&mut self, mut change: impl FnMut(&mut Expression)) {
        self.predicate.iter_mut().for_each(&mut change);
        for key in &mut self.keys {
            if let IndexKeyKind::Expression(expression) = &mut key.kind {
                change(expression);
            }
        }
    }
}
