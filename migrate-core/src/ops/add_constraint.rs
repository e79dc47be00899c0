//! `alter table … add constraint`.
//!
//! - **SQL**: `alter table documents add constraint documents_owner_fkey foreign key (owner_id) references users (id) not valid`
//! - **Lock**: access exclusive on the table; for a foreign key share row exclusive on both tables, which blocks writes
//! - **Rewrites**: nothing; the table is read whole, unless `not valid` or `using index` saves it
//! - **Transaction**: inside
//! - **Undo**: `drop constraint`; columns that a primary key made `not null` become nullable again, and an index that
//!   became the constraint's is created again
//! - **Since**: PostgreSQL 13; `nulls not distinct` and `on delete set null (…)` 15
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `ADD table_constraint`

use crate::checks;
use crate::effects::{Effects, LockMode};
use crate::name::{Name, QualifiedName, quote_literal};
use crate::naming;
use crate::operation::{Inverse, Operate, Operation};
use crate::ops::{DropConstraint, DropNotNull, create_index, family};
use crate::render;
use crate::report::Report;
use crate::schema::{Constraint, ConstraintKind, ForeignKey, Index, IndexKeyKind, Key, ObjectKey, Origin, Schema, Table};
use serde::{Deserialize, Serialize};

/// Adds a constraint to a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddConstraint {
    /// The table.
    pub table: QualifiedName,
    /// The constraint, named once bound.
    pub constraint: Constraint,
    /// `using index`: the index that becomes the constraint's, and takes its name. The key's columns are the index's, once
    /// bound.
    #[serde(default)]
    pub using_index: Option<Name>,
    /// The columns of the table that it is about, once bound.
    #[serde(default)]
    pub columns: Vec<Name>,
    /// `alter table only`.
    #[serde(default)]
    pub only: bool,
}

impl AddConstraint {
    /// Adds `constraint` to `table`.
    #[must_use]
    pub fn new(table: QualifiedName, constraint: Constraint) -> Self {
        Self { table, constraint, using_index: None, columns: Vec::new(), only: false }
    }

    /// What adds a constraint again as it is.
    #[must_use]
    pub fn again(schema: &Schema, table: &QualifiedName, name: &Name) -> Option<Self> {
        let constraint = schema.table(table)?.constraints.get(name)?.clone();
        let constraint = Constraint { local: true, parent: None, ..constraint };
        let mut operation = Self::new(table.clone(), constraint);
        operation.bind(schema);
        Some(operation)
    }

    fn key(&self) -> ObjectKey {
        ObjectKey::Constraint(self.table.clone(), self.constraint.name.clone())
    }

    fn foreign_key(&self) -> Option<&ForeignKey> {
        match &self.constraint.kind {
            ConstraintKind::ForeignKey(key) => Some(key),
            _ => None,
        }
    }

    fn primary_key(&self) -> Option<&Key> {
        match &self.constraint.kind {
            ConstraintKind::PrimaryKey(key) => Some(key),
            _ => None,
        }
    }

    fn index<'a>(&self, table: &'a Table) -> Option<&'a Index> {
        table.indexes.get(self.using_index.as_ref()?.as_str())
    }

    fn take_columns_of_index(&mut self, schema: &Schema) {
        let Some(index) = schema.table(&self.table).and_then(|table| self.index(table)) else { return };
        let columns = index.keys.iter().filter_map(|key| match &key.kind {
            IndexKeyKind::Column(name) => Some(Name::new(name.as_str())),
            IndexKeyKind::Expression(_) => None,
        });
        let taken = Key {
            columns: columns.collect(),
            include: index.include.clone(),
            nulls_not_distinct: index.nulls_not_distinct,
            storage: index.storage.clone(),
        };
        if let ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) = &mut self.constraint.kind {
            *key = taken;
        }
    }

    /// `transformIndexConstraint` of PostgreSQL's `src/backend/parser/parse_utilcmd.c`: only an index that PostgreSQL would
    /// have made itself becomes a constraint's. The answer says whether it does.
    fn check_index(&self, schema: &Schema, table: &Table, report: &mut Report) -> bool {
        let Some(name) = &self.using_index else { return true };
        let qualified = table.name.sibling(name.clone());
        let Some(index) = self.index(table) else {
            if let Some(other) = schema.table_of_index(&qualified) {
                report.index_of_other_table(&qualified, &other.name, &table.name);
            } else if let Some(other) = schema.table_of_constraint_index(&qualified) {
                report.index_has_constraint(&qualified, &other.name);
            } else {
                report.unknown(schema, &ObjectKey::Index(qualified.clone()), name.at);
            }
            return false;
        };
        let unusual_order = index.keys.iter().any(|key| key.descending || key.nulls_first || key.collation.is_some());
        let obstacle = if !index.unique {
            "is not unique"
        } else if index.keys.iter().any(|key| matches!(key.kind, IndexKeyKind::Expression(_))) {
            "contains expressions"
        } else if index.predicate.is_some() {
            "is partial"
        } else if index.method != "btree" {
            "is not a btree"
        } else if unusual_order {
            "does not have default sorting behavior"
        } else {
            return true;
        };
        report.index_cannot_be_constraint(&qualified, obstacle);
        false
    }
}

impl AddConstraint {
    /// The effects on the tables below. PostgreSQL 18 locks all of them; before, one that has the constraint already is
    /// locked, and those below it aren't looked at. None of these is read.
    fn and_handed_down(&self, effects: Effects, schema: &Schema, after: &Schema) -> Effects {
        let mode = if self.foreign_key().is_some() { LockMode::ShareRowExclusive } else { LockMode::AccessExclusive };
        let mut effects = schema.descendants(&self.table).iter().fold(effects, |effects, below| effects.and_lock(below, mode));
        let is_inherited = match &self.constraint.kind {
            ConstraintKind::Check { no_inherit, .. } => !no_inherit,
            _ => schema.table(&self.table).is_some_and(Table::is_partitioned),
        };
        if !is_inherited {
            return effects;
        }
        let scans = effects.scans.contains(&self.table);
        let constraints = |schema: &Schema, table: &QualifiedName| schema.table(table).map_or(0, |table| table.constraints.len());
        let mut reached = schema.children(&self.table);
        let mut next = 0;
        while let Some(child) = reached.get(next).cloned() {
            next += 1;
            if constraints(schema, &child) < constraints(after, &child) {
                effects = if scans { effects.and_scan(&child) } else { effects };
                reached.extend(schema.children(&child).into_iter().filter(|below| !reached.contains(below)).collect::<Vec<_>>());
            } else if let Some(key) = self.foreign_key() {
                // the triggers that looked after the child's own foreign key fall
                effects = effects.and_lock(&key.references, LockMode::AccessExclusive);
            }
        }
        effects
    }

    /// The scans for nulls in the tables below, where a primary key makes columns not null.
    fn and_not_nulls(&self, effects: Effects, schema: &Schema, after: &Schema) -> Effects {
        if !self.looks_for_nulls(schema) {
            return effects;
        }
        let not_nulls =
            |schema: &Schema, table| schema.table(table).map_or(0, |table| table.columns.iter().filter(|column| column.not_null).count());
        schema.descendants(&self.table).iter().fold(effects, |effects, below| {
            let is_read = not_nulls(schema, below) < not_nulls(after, below) && !effects.scans.contains(below);
            if is_read { effects.and_scan(below) } else { effects }
        })
    }
}

impl Operate for AddConstraint {
    fn describe(&self) -> String {
        format!("add constraint `{}` to `{}`", self.constraint.name, self.table)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        let mut keys = vec![ObjectKey::Table(self.table.clone())];
        keys.extend(self.columns.iter().map(|column| ObjectKey::Column(self.table.clone(), column.clone())));
        if let Some(key) = self.foreign_key() {
            keys.push(ObjectKey::Table(key.references.clone()));
            keys.extend(key.referenced_columns.iter().map(|column| ObjectKey::Column(key.references.clone(), column.clone())));
        }
        keys
    }

    fn touches(&self) -> Vec<ObjectKey> {
        let index = self.using_index.iter().map(|index| ObjectKey::Index(self.table.sibling(index.clone())));
        std::iter::once(self.key()).chain(index).collect()
    }

    fn bind(&mut self, schema: &Schema) {
        if let Some(index) = &self.using_index {
            if self.constraint.name.as_str().is_empty() {
                self.constraint.name = Name::new(index.as_str());
            }
            self.take_columns_of_index(schema);
        }
        let columns = schema.table(&self.table).map(|table| table.columns.clone()).unwrap_or_default();
        let mut constraints = vec![self.constraint.clone()];
        naming::name_constraints(schema, &self.table, &columns, &mut constraints);
        if let Some(constraint) = constraints.pop() {
            self.constraint = constraint;
        }
        naming::complete_foreign_key(schema, None, &mut self.constraint);
        let involved = columns.iter().filter(|column| self.constraint.kind.involves(column.name.as_str()));
        self.columns = involved.map(|column| column.name.clone()).collect();
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        let name = &self.constraint.name;
        report.check_length([name]);
        if !report.needs_table(schema, &self.table) {
            report.forgive(self.key());
            return;
        }
        let Some(table) = schema.table(&self.table) else { return };
        if !self.check_index(schema, table, report) {
            report.forgive(self.key());
            return;
        }
        if !checks::is_addable(schema, table, &self.constraint, self.using_index.as_ref(), report) {
            return;
        }
        checks::constraint(schema, table, &self.constraint, report);
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        let Some(table) = schema.tables.get_mut(&self.table) else { return };
        if let Some(index) = &self.using_index
            && table.indexes.shift_remove(index.as_str()).is_some()
        {
            let renamed = (*index != self.constraint.name).then(|| self.constraint.name.to_string());
            let left = renamed.map(|renamed| (ObjectKey::Index(self.table.sibling(index.clone())), Some(renamed)));
            if let Some((key, renamed)) = left {
                schema.record_departure(key, renamed, origin);
            }
        }
        schema.add_constraint(&self.table, self.constraint.clone(), self.only);
    }

    fn effects(&self, schema: &Schema) -> Effects {
        let effects = self.own_effects(schema);
        if self.only || schema.children(&self.table).is_empty() {
            return effects;
        }
        let mut after = schema.clone();
        after.add_constraint(&self.table, self.constraint.clone(), false);
        self.and_not_nulls(self.and_handed_down(effects, schema, &after), schema, &after)
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        Ok(self.drop_again(before))
    }

    fn render(&self) -> Vec<String> {
        let only = if self.only { "only " } else { "" };
        let table = self.table.quoted();
        let constraint = match &self.using_index {
            None => render::constraint(&self.constraint),
            Some(index) => render::constraint_using_index(&self.constraint, index),
        };
        let mut statements = vec![format!("alter table {only}{table} add {constraint}")];
        if let Some(comment) = &self.constraint.comment {
            let name = self.constraint.name.quoted();
            statements.push(format!("comment on constraint {name} on {table} is {}", quote_literal(comment)));
        }
        statements
    }
}

impl AddConstraint {
    /// Whether the columns of a primary key could be null so far.
    fn looks_for_nulls(&self, schema: &Schema) -> bool {
        self.primary_key().is_some_and(|key| {
            key.columns.iter().any(|column| schema.column(&self.table, column.as_str()).is_some_and(|column| !column.not_null))
        })
    }

    fn own_effects(&self, schema: &Schema) -> Effects {
        if let Some(key) = self.foreign_key() {
            let effects = Effects::lock(&self.table, LockMode::ShareRowExclusive).and_lock(&key.references, LockMode::ShareRowExclusive);
            return if self.constraint.validated { effects.and_scan(&self.table) } else { effects };
        }
        let effects = Effects::lock(&self.table, LockMode::AccessExclusive);
        let builds_index = self.constraint.kind.has_index() && self.using_index.is_none();
        let checks_rows = matches!(self.constraint.kind, ConstraintKind::Check { .. }) && self.constraint.validated;
        if self.looks_for_nulls(schema) || builds_index || checks_rows { effects.and_scan(&self.table) } else { effects }
    }

    fn drop_again(&self, before: &Schema) -> Vec<Operation> {
        let Some(table) = before.table(&self.table) else {
            return vec![DropConstraint::new(self.table.clone(), self.constraint.name.clone()).into()];
        };
        if table.constraints.contains_key(&self.constraint.name) {
            return Vec::new();
        }
        let drop = DropConstraint { only: self.only, ..DropConstraint::new(self.table.clone(), self.constraint.name.clone()) };
        let mut operations = vec![drop.into()];
        let key_columns = self.primary_key().map(|key| key.columns.as_slice()).unwrap_or_default();
        for column in key_columns {
            if table.column(column.as_str()).is_some_and(|column| !column.not_null) {
                operations.push(DropNotNull { table: self.table.clone(), column: column.clone(), only: self.only }.into());
            }
        }
        create_index::recreate_indexes(table, |index| Some(&index.name) == self.using_index.as_ref(), &mut operations);
        family::give_back(before, &self.table, operations, |schema| self.apply(schema, &Origin::default()))
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::AddConstraint;
    use crate::lower::{constraints, syntax};
    use crate::name::QualifiedName;
    use squawk_syntax::ast;

    impl AddConstraint {
        /// `None` for `not null` as a constraint (PostgreSQL 18) and for temporal keys.
        pub(crate) fn lower(table: &QualifiedName, action: &ast::AddConstraint) -> Option<Self> {
            let constraint = action.constraint()?;
            let using_index = match &constraint {
                ast::Constraint::PrimaryKeyConstraint(it) => it.using_index(),
                ast::Constraint::UniqueConstraint(it) => it.using_index(),
                _ => None,
            };
            let using_index = match using_index {
                Some(clause) => Some(syntax::path_ref(&clause.index_ref()?.path_ref()?)?.name),
                None => None,
            };
            Some(Self { using_index, ..Self::new(table.clone(), constraints::added(&constraint)?) })
        }
    }
}
