//! `alter table … rename constraint`.
//!
//! - **SQL**: `alter table documents rename constraint documents_key to documents_slug_key`
//! - **Lock**: access exclusive on the table
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: the rename back
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `RENAME CONSTRAINT`

use crate::checks;
use crate::effects::{Effects, LockMode};
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, Operate};
use crate::report::Report;
use crate::schema::{Constraint, ConstraintKind, ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Renames a constraint, and the index behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenameConstraint {
    /// The table.
    pub table: QualifiedName,
    /// The constraint.
    pub name: Name,
    /// Its new name.
    pub to: Name,
}

impl RenameConstraint {
    fn key(&self, name: &Name) -> ObjectKey {
        ObjectKey::Constraint(self.table.clone(), name.clone())
    }
}

impl Operate for RenameConstraint {
    fn describe(&self) -> String {
        format!("rename constraint `{}` of `{}` to `{}`", self.name, self.table, self.to)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Table(self.table.clone())]
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![self.key(&self.name), self.key(&self.to)]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        report.check_length([&self.to]);
        if !report.needs_table(schema, &self.table) {
            report.forgive(self.key(&self.to));
            return;
        }
        let Some(table) = schema.table(&self.table) else { return };
        if let Some(constraint) = table.constraints.get(self.name.as_str()) {
            if let Some(parent) = schema.parent_with_constraint(&self.table, self.name.as_str()).filter(|_| constraint.parent.is_none()) {
                report.inherited_constraint(&self.table, &self.name, parent, "rename");
                report.forgive(self.key(&self.to));
                return;
            }
            let renamed = Constraint { name: self.to.clone(), ..constraint.clone() };
            checks::constraint_name(schema, table, &renamed, None, report);
        } else {
            report.unknown(schema, &self.key(&self.name), self.name.at);
            report.forgive(self.key(&self.to));
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        let Some(table) = schema.table(&self.table) else { return };
        let Some(constraint) = table.constraints.get(self.name.as_str()) else { return };
        let has_index = constraint.kind.has_index();
        let is_check = matches!(constraint.kind, ConstraintKind::Check { no_inherit: false, .. });
        for below in if is_check { schema.descendants(&self.table) } else { Vec::new() } {
            let inherits = schema.parent_with_constraint(&below, self.name.as_str()).is_some();
            if let Some(table) = schema.tables.get_mut(&below).filter(|_| inherits) {
                table.rename_constraint(self.name.as_str(), &self.to);
            }
        }
        schema.follow_index_rename(&self.table, &self.name, &self.to);
        if let Some(table) = schema.tables.get_mut(&self.table) {
            table.rename_constraint(self.name.as_str(), &self.to);
        }
        schema.record_departure(self.key(&self.name), Some(self.to.to_string()), origin);
        if has_index {
            schema.record_departure(ObjectKey::Index(self.table.sibling(self.name.clone())), Some(self.to.to_string()), origin);
        }
    }

    fn effects(&self, schema: &Schema) -> Effects {
        let effects = Effects::lock(&self.table, LockMode::AccessExclusive);
        let constraint = schema.table(&self.table).and_then(|table| table.constraints.get(&self.name));
        let is_check = constraint.is_some_and(|constraint| matches!(constraint.kind, ConstraintKind::Check { no_inherit: false, .. }));
        if is_check { effects.and_descendants(schema, &self.table) } else { effects }
    }

    fn inverse(&self, _before: &Schema) -> Inverse {
        Ok(vec![Self { table: self.table.clone(), name: self.to.clone(), to: self.name.clone() }.into()])
    }

    fn render(&self) -> Vec<String> {
        vec![format!("alter table {} rename constraint {} to {}", self.table.quoted(), self.name.quoted(), self.to.quoted())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::RenameConstraint;
    use crate::lower::syntax;
    use crate::name::QualifiedName;
    use squawk_syntax::ast;

    impl RenameConstraint {
        pub(crate) fn lower(table: &QualifiedName, action: &ast::RenameConstraint) -> Option<Self> {
            let name = syntax::path_ref(&action.constraint_name_ref()?.path_ref()?)?.name;
            Some(Self { table: table.clone(), name, to: syntax::name(&action.constraint_name()?) })
        }
    }
}
