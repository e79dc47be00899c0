//! Tables.

use super::{Access, Column, Constraint, ConstraintKind, Index, Origin, Parameters, Policy, RowSecurity, Unmodelled};
use crate::expression::{Expression, Token, tokens};
use crate::name::{Name, QualifiedName};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

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

/// What makes a table a partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// The partitioned table.
    pub of: QualifiedName,
    /// Which rows it holds: `for values …`, or `default`.
    pub bound: Expression,
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
    /// Whether its policies are looked at.
    #[serde(default)]
    pub row_security: RowSecurity,
    /// Policies by name.
    #[serde(default)]
    pub policies: BTreeMap<Name, Policy>,
    /// `unlogged`.
    #[serde(default)]
    pub unlogged: bool,
    /// `partition by …`, with these words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition_by: Option<Expression>,
    /// `partition of …`, or attached: all its columns are its parent's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<Partition>,
    /// `inherits (…)`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inherits: Vec<QualifiedName>,
    /// `with (…)`.
    #[serde(default, skip_serializing_if = "Parameters::is_empty")]
    pub storage: Parameters,
    /// `using …`, where it isn't `heap`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_method: Option<Name>,
    /// `tablespace …`, where it isn't the database's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tablespace: Option<Name>,
    /// What SQLite has behind the column list: `strict`, `without rowid`, and what a snapshot noted.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub options: String,
    /// The text of `comment on table`.
    #[serde(default)]
    pub comment: Option<String>,
    /// Who owns it, and who may do what with it.
    #[serde(default, skip_serializing_if = "Access::is_empty")]
    pub access: Access,
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
            row_security: RowSecurity::default(),
            policies: BTreeMap::new(),
            unlogged: false,
            partition_by: None,
            partition: None,
            inherits: Vec::new(),
            storage: Parameters::default(),
            access_method: None,
            tablespace: None,
            options: String::new(),
            comment: None,
            access: Access::default(),
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

    /// Whether it has partitions instead of rows.
    #[must_use]
    pub fn is_partitioned(&self) -> bool {
        self.partition_by.is_some()
    }

    /// The items of the partition key, each as its tokens.
    fn partition_key_items(&self) -> Vec<Vec<Token>> {
        let key = self.partition_by.as_ref().map(Expression::sql).unwrap_or_default();
        super::lists(&tokens(key)).into_iter().next().unwrap_or_default()
    }

    /// How many items the partition key has.
    #[must_use]
    pub fn partition_items(&self) -> usize {
        self.partition_key_items().len()
    }

    /// The columns that stand in the partition key by themselves.
    #[must_use]
    pub fn partition_columns(&self) -> Vec<Name> {
        let columns = self.partition_key_items().into_iter().filter_map(|item| match item.first() {
            Some(Token::Word(name) | Token::Quoted(name)) if !item.get(1).is_some_and(|next| next.is("(")) => Some(Name::new(name.clone())),
            // a column in parentheses is a column
            Some(open) if open.is("(") && item.len() == 3 => match &item[1] {
                Token::Word(name) | Token::Quoted(name) => Some(Name::new(name.clone())),
                _ => None,
            },
            _ => None,
        });
        columns.collect()
    }

    /// Whether the partition key computes something.
    #[must_use]
    pub fn is_partitioned_by_expression(&self) -> bool {
        self.partition_columns().len() < self.partition_items()
    }

    /// Whether the column is part of the partition key.
    #[must_use]
    pub fn is_partitioned_by(&self, column: &str) -> bool {
        self.partition_by.as_ref().is_some_and(|key| key.mentions(column))
    }

    /// The primary key.
    #[must_use]
    pub fn primary_key(&self) -> Option<&Constraint> {
        self.constraints.values().find(|constraint| matches!(constraint.kind, ConstraintKind::PrimaryKey(_)))
    }

    /// All its expressions, but for those of its policies.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let of_columns =
            self.columns.iter().flat_map(|column| column.default.iter().chain(column.generated.as_ref().map(|it| &it.expression)));
        let of_constraints = self.constraints.values().flat_map(|constraint| constraint.kind.expressions());
        of_columns.chain(of_constraints).chain(self.indexes.values().flat_map(Index::expressions))
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
        if let Some(key) = &mut self.partition_by {
            key.rename_column(from, to);
        }
        self.access.rename_column(from, to);
    }

    /// Renames a constraint, in its place.
    pub fn rename_constraint(&mut self, from: &str, to: &Name) {
        if let Some((place, _, mut constraint)) = self.constraints.shift_remove_full(from) {
            constraint.name = to.clone();
            self.constraints.shift_insert(place, to.clone(), constraint);
        }
    }
}
