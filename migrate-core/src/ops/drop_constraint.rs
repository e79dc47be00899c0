//! `alter table … drop constraint`.
//!
//! - **SQL**: `alter table documents drop constraint documents_owner_fkey`
//! - **Lock**: access exclusive on the table, and on the other table of every foreign key that falls
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: `add constraint`, which fails where rows break it by then
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `DROP CONSTRAINT`

use crate::effects::{Effects, LockMode};
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, NoInverse, Operate};
use crate::ops::AddConstraint;
use crate::report::Report;
use crate::schema::{Constraint, ConstraintKind, ObjectKey, Origin, Schema, Table, UniqueKey};
use serde::{Deserialize, Serialize};

/// Drops a constraint. Columns of a primary key stay `not null`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropConstraint {
    /// The table.
    pub table: QualifiedName,
    /// The constraint.
    pub name: Name,
    /// `cascade`: foreign keys that rest on it fall with it.
    #[serde(default)]
    pub cascade: bool,
    /// `if exists`.
    #[serde(default)]
    pub if_exists: bool,
    /// `alter table only`.
    #[serde(default)]
    pub only: bool,
}

impl DropConstraint {
    /// Drops the constraint of this name.
    #[must_use]
    pub fn new(table: QualifiedName, name: Name) -> Self {
        Self { table, name, cascade: false, if_exists: false, only: false }
    }

    fn constraint<'a>(&self, schema: &'a Schema) -> Option<&'a Constraint> {
        schema.table(&self.table)?.constraints.get(self.name.as_str())
    }

    /// What must be there before the constraint is, so that the tables below have what they had: PostgreSQL would give it
    /// another name there, or other ways.
    fn parts_again(&self, before: &Schema, own: &AddConstraint) -> Vec<AddConstraint> {
        let below = before.descendants(&self.table);
        if below.is_empty() {
            return Vec::new();
        }
        let mut restored = before.clone();
        restored.remove_constraint(&self.table, &self.name, self.only);
        own.apply(&mut restored, &Origin::default());
        if below.iter().all(|name| before.table(name) == restored.table(name)) {
            return Vec::new();
        }
        let mut parents = vec![(self.table.clone(), self.name.clone())];
        let mut parts = Vec::new();
        for name in below {
            let Some(table) = before.table(&name) else { continue };
            for constraint in table.constraints.values() {
                let of = constraint.parent.clone().zip(table.partition.as_ref());
                if of.is_some_and(|(parent, partition)| parents.contains(&(partition.of.clone(), parent))) {
                    parents.push((name.clone(), constraint.name.clone()));
                    parts.extend(AddConstraint::again(before, &name, &constraint.name));
                }
            }
        }
        parts.reverse();
        parts
    }

    /// The foreign keys that rest on the constraint.
    fn dependents(&self, schema: &Schema) -> Vec<(QualifiedName, Name)> {
        schema.foreign_keys_on(&self.table, UniqueKey::Constraint(&self.name))
    }
}

impl Operate for DropConstraint {
    fn describe(&self) -> String {
        format!("drop constraint `{}` of `{}`", self.name, self.table)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Table(self.table.clone())]
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Constraint(self.table.clone(), self.name.clone())]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        if !report.needs_table(schema, &self.table) {
            return;
        }
        if self.constraint(schema).is_none() {
            if !self.if_exists && schema.tables.contains_key(&self.table) {
                report.unknown(schema, &ObjectKey::Constraint(self.table.clone(), self.name.clone()), self.name.at);
            }
            return;
        }
        if let Some(parent) = schema.parent_with_constraint(&self.table, self.name.as_str()) {
            report.inherited_constraint(&self.table, &self.name, parent, "drop");
            return;
        }
        if !self.cascade {
            report.needed_by_foreign_keys(schema, self.name.at, &format!("constraint `{}`", self.name), &self.dependents(schema));
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        if self.constraint(schema).is_none() {
            return;
        }
        let own = (self.table.clone(), self.name.clone());
        for (table, name) in self.dependents(schema).into_iter().chain([own]) {
            let removed = schema.table(&table).and_then(|table| table.constraints.get(&name));
            let has_index = removed.is_some_and(|constraint| constraint.kind.has_index());
            schema.remove_constraint(&table, &name, self.only);
            if has_index {
                schema.record_departure(ObjectKey::Index(table.sibling(name.clone())), None, origin);
            }
            schema.record_departure(ObjectKey::Constraint(table, name), None, origin);
        }
    }

    fn effects(&self, schema: &Schema) -> Effects {
        let target = self.constraint(schema).and_then(|constraint| match &constraint.kind {
            ConstraintKind::ForeignKey(key) => Some(key.references.clone()),
            _ => None,
        });
        let dependents = self.dependents(schema).into_iter().map(|(table, _)| table);
        let own = Effects::lock(&self.table, LockMode::AccessExclusive);
        let inherited =
            self.constraint(schema).is_some_and(|constraint| matches!(constraint.kind, ConstraintKind::Check { no_inherit: false, .. }));
        // with `only`, too, PostgreSQL makes sure that nobody uses the partitions
        let partitioned = schema.table(&self.table).is_some_and(Table::is_partitioned);
        let own = if partitioned || (inherited && !self.only) { own.and_descendants(schema, &self.table) } else { own };
        target.into_iter().chain(dependents).fold(own, |effects, table| effects.and_lock(&table, LockMode::AccessExclusive))
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        let Some(again) = AddConstraint::again(before, &self.table, &self.name) else {
            if self.if_exists && before.tables.contains_key(&self.table) {
                return Ok(Vec::new());
            }
            return Err(NoInverse::because(format!("nothing is known of constraint `{}` of table `{}`", self.name, self.table)));
        };
        let dependents = self.dependents(before).into_iter().filter_map(|(table, name)| AddConstraint::again(before, &table, &name));
        let own = AddConstraint { only: self.only, ..again };
        let parts = self.parts_again(before, &own);
        Ok(parts.into_iter().chain([own]).chain(dependents).map(Into::into).collect())
    }

    fn render(&self) -> Vec<String> {
        let only = if self.only { "only " } else { "" };
        let cascade = if self.cascade { " cascade" } else { "" };
        vec![format!("alter table {only}{} drop constraint {}{cascade}", self.table.quoted(), self.name.quoted())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::DropConstraint;
    use crate::lower::syntax;
    use crate::name::QualifiedName;
    use squawk_syntax::ast;

    impl DropConstraint {
        pub(crate) fn lower(table: &QualifiedName, action: &ast::DropConstraint) -> Option<Self> {
            let name = syntax::path_ref(&action.constraint_name_ref()?.path_ref()?)?.name;
            Some(Self {
                cascade: matches!(action.drop_behavior(), Some(ast::DropBehavior::Cascade(_))),
                if_exists: action.if_exists().is_some(),
                ..Self::new(table.clone(), name)
            })
        }
    }
}
