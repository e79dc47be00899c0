//! The table that `create table` makes: its own columns, and those that it takes from other tables.

use crate::expression::Expression;
use crate::name::{Name, QualifiedName};
use crate::naming;
use crate::ops::CreateTable;
use crate::schema::{Column, Constraint, ConstraintKind, Generated, Schema, Table};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// What `create table … partition of` says of a column of the partitioned table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnChange {
    /// The column.
    pub name: Name,
    /// A default of its own.
    #[serde(default)]
    pub default: Option<Expression>,
    /// `not null`.
    #[serde(default)]
    pub not_null: bool,
    /// What it is generated from, instead.
    #[serde(default)]
    pub generated: Option<Generated>,
}

/// `like source including …` in the column list of `create table`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Like {
    /// Before how many of the table's own columns it stands behind.
    pub position: usize,
    /// The table whose columns are copied.
    pub source: QualifiedName,
    /// What is copied besides names, types and `not null`.
    #[serde(default)]
    pub including: Vec<Property>,
}

/// What `including` may copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Property {
    /// Comments on columns, constraints and indexes.
    Comments,
    /// How columns are compressed.
    Compression,
    /// Check constraints.
    Constraints,
    /// Defaults.
    Defaults,
    /// What columns are generated from.
    Generated,
    /// Identities, with sequences of their own.
    Identity,
    /// Indexes, primary keys, unique and exclusion constraints.
    Indexes,
    /// Extended statistics.
    Statistics,
    /// How columns are stored.
    Storage,
}

impl Property {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Comments,
        Self::Compression,
        Self::Constraints,
        Self::Defaults,
        Self::Generated,
        Self::Identity,
        Self::Indexes,
        Self::Statistics,
        Self::Storage,
    ];

    /// As SQL.
    #[must_use]
    pub fn sql(self) -> &'static str {
        match self {
            Self::Comments => "comments",
            Self::Compression => "compression",
            Self::Constraints => "constraints",
            Self::Defaults => "defaults",
            Self::Generated => "generated",
            Self::Identity => "identity",
            Self::Indexes => "indexes",
            Self::Statistics => "statistics",
            Self::Storage => "storage",
        }
    }
}

impl ColumnChange {
    /// As it stands in the column list.
    pub(super) fn sql(&self) -> String {
        let mut sql = self.name.quoted();
        if let Some(generated) = &self.generated {
            let kind = if generated.stored { "stored" } else { "virtual" };
            let _ = write!(sql, " generated always as ({}) {kind}", generated.expression.sql());
        }
        if let Some(default) = &self.default {
            let _ = write!(sql, " default {}", default.sql());
        }
        if self.not_null {
            sql.push_str(" not null");
        }
        sql
    }
}

impl Like {
    /// Whether that is copied, too.
    #[must_use]
    pub fn copies(&self, property: Property) -> bool {
        self.including.contains(&property)
    }

    /// As it stands in the column list.
    pub(super) fn sql(&self) -> String {
        let source = self.source.quoted();
        if self.including.len() == Property::ALL.len() {
            return format!("like {source} including all");
        }
        let including = self.including.iter().map(|property| format!(" including {}", property.sql()));
        std::iter::once(format!("like {source}")).chain(including).collect()
    }

    fn column(&self, schema: &Schema, table: &QualifiedName, column: &Column) -> Column {
        let identity = column.identity.as_ref().filter(|_| self.copies(Property::Identity)).map(|identity| {
            let mut own = identity.clone();
            own.sequence = naming::sequence(schema, table, column.name.as_str());
            own
        });
        Column {
            not_null: column.not_null,
            default: column.default.clone().filter(|_| self.copies(Property::Defaults)),
            generated: column.generated.clone().filter(|_| self.copies(Property::Generated)),
            identity,
            collation: column.collation.clone(),
            comment: column.comment.clone().filter(|_| self.copies(Property::Comments)),
            ..Column::new(column.name.clone(), column.data_type.clone())
        }
    }
}

impl CreateTable {
    /// The tables that it takes columns from.
    pub(super) fn sources(&self) -> impl Iterator<Item = &QualifiedName> {
        self.table.parents().chain(self.likes.iter().map(|like| &like.source))
    }

    /// The table with all its columns and the check constraints of its sources; `None`: of one of them no columns are known.
    pub(super) fn shape(&self, schema: &Schema) -> Option<Table> {
        if self.sources().next().is_none() {
            return Some(self.table.clone());
        }
        let mut shape = Table { columns: Vec::new(), ..self.table.clone() };
        for parent in self.table.parents() {
            self.take_from_parent(&mut shape, schema.table(parent)?);
        }
        for (i, column) in self.table.columns.iter().enumerate() {
            self.take_likes(&mut shape, schema, |like| like.position == i)?;
            merge(&mut shape, column);
        }
        self.take_likes(&mut shape, schema, |like| like.position >= self.table.columns.len())?;
        for change in &self.changes {
            let Some(column) = shape.column_mut(change.name.as_str()) else { continue };
            column.not_null |= change.not_null;
            if change.default.is_some() {
                column.default.clone_from(&change.default);
            }
            if change.generated.is_some() {
                column.generated.clone_from(&change.generated);
            }
        }
        for constraint in &self.constraints {
            if let ConstraintKind::PrimaryKey(key) = &constraint.kind {
                shape.columns.iter_mut().filter(|column| key.columns.contains(&column.name)).for_each(|column| column.not_null = true);
            }
        }
        Some(shape)
    }

    fn take_from_parent(&self, shape: &mut Table, parent: &Table) {
        for column in &parent.columns {
            match shape.column_mut(column.name.as_str()) {
                Some(merged) => {
                    merged.not_null |= column.not_null;
                    if merged.default.is_none() {
                        merged.default.clone_from(&column.default);
                    }
                }
                None => shape.columns.push(Column { identity: None, comment: None, local: false, ..column.clone() }),
            }
        }
        for constraint in parent.constraints.values() {
            if matches!(constraint.kind, ConstraintKind::Check { no_inherit: false, .. }) {
                let inherited = Constraint { local: false, validated: true, comment: None, ..constraint.clone() };
                shape.constraints.entry(constraint.name.clone()).or_insert(inherited);
            }
        }
        if self.table.partition.is_some() {
            shape.tablespace = shape.tablespace.take().or_else(|| parent.tablespace.clone());
            shape.access_method = shape.access_method.take().or_else(|| parent.access_method.clone());
        }
    }

    fn take_likes(&self, shape: &mut Table, schema: &Schema, stands: impl Fn(&Like) -> bool) -> Option<()> {
        for like in self.likes.iter().filter(|like| stands(like)) {
            let source = schema.table(&like.source)?;
            for column in &source.columns {
                merge(shape, &like.column(schema, &self.table.name, column));
            }
            for constraint in source.constraints.values().filter(|_| like.copies(Property::Constraints)) {
                if matches!(constraint.kind, ConstraintKind::Check { .. }) {
                    let copy = Constraint {
                        comment: constraint.comment.clone().filter(|_| like.copies(Property::Comments)),
                        ..Constraint::new(constraint.name.clone(), constraint.kind.clone())
                    };
                    shape.constraints.entry(copy.name.clone()).or_insert(copy);
                }
            }
        }
        Some(())
    }

    /// Gives the table, which is there with its own constraints, what comes from its sources besides.
    pub(super) fn complete(&self, schema: &mut Schema) {
        let name = &self.table.name;
        for like in self.likes.iter().filter(|like| like.copies(Property::Indexes)) {
            let Some(source) = schema.table(&like.source).cloned() else { continue };
            for constraint in source.constraints.values().filter(|constraint| constraint.kind.has_index()) {
                let Some(table) = schema.table(name) else { continue };
                let second = matches!(constraint.kind, ConstraintKind::PrimaryKey(_)) && table.primary_key().is_some();
                if second {
                    continue;
                }
                let own = naming::partition_constraint(schema, name, &table.columns, &constraint.kind);
                let comment = constraint.comment.clone().filter(|_| like.copies(Property::Comments));
                let copy = Constraint { deferral: constraint.deferral, comment, ..Constraint::new(own, constraint.kind.clone()) };
                schema.add_constraint(name, copy, false);
            }
            for index in source.indexes.values() {
                let mut copy = index.clone();
                copy.name = naming::index(schema, name, &index.keys, &index.include);
                copy.comment = copy.comment.filter(|_| like.copies(Property::Comments));
                (copy.parent, copy.only, copy.valid) = (None, false, true);
                schema.add_index(name, &copy);
            }
        }
    }
}

/// A column that the parents have, too, is theirs and the table's own.
fn merge(shape: &mut Table, column: &Column) {
    match shape.column_mut(column.name.as_str()) {
        Some(inherited) if !inherited.local => {
            let not_null = inherited.not_null || column.not_null;
            let default = column.default.clone().or_else(|| inherited.default.take());
            *inherited =
                Column { not_null, default, generated: column.generated.clone().or_else(|| inherited.generated.take()), ..column.clone() };
        }
        _ => shape.columns.push(column.clone()),
    }
}
