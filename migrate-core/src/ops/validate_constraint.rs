//! `alter table … validate constraint`.
//!
//! - **SQL**: `alter table documents validate constraint documents_owner_fkey`
//! - **Lock**: share update exclusive on the table, which blocks neither reads nor writes; for a foreign key row share on
//!   its target
//! - **Rewrites**: nothing; the table is read whole
//! - **Transaction**: inside
//! - **Undo**: the constraint is dropped and added again as `not valid`
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `VALIDATE CONSTRAINT`

use crate::effects::{Effects, LockMode};
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, NoInverse, Operate};
use crate::ops::{AddConstraint, DropConstraint};
use crate::report::Report;
use crate::schema::{Constraint, ConstraintKind, ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Checks the rows that were there before a constraint that was added as `not valid`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValidateConstraint {
    /// The table.
    pub table: QualifiedName,
    /// The constraint.
    pub name: Name,
}

impl ValidateConstraint {
    fn key(&self) -> ObjectKey {
        ObjectKey::Constraint(self.table.clone(), self.name.clone())
    }

    fn constraint<'a>(&self, schema: &'a Schema) -> Option<&'a Constraint> {
        schema.table(&self.table)?.constraints.get(self.name.as_str())
    }
}

impl Operate for ValidateConstraint {
    fn describe(&self) -> String {
        format!("validate constraint `{}` of `{}`", self.name, self.table)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Table(self.table.clone())]
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![self.key()]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        if !report.needs_table(schema, &self.table) || !schema.tables.contains_key(&self.table) {
            return;
        }
        match self.constraint(schema).map(|constraint| &constraint.kind) {
            None => report.unknown(schema, &self.key(), self.name.at),
            Some(ConstraintKind::ForeignKey(_) | ConstraintKind::Check { .. }) => {}
            Some(_) => report.not_validatable(&self.table, &self.name),
        }
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        for name in std::iter::once(self.table.clone()).chain(schema.descendants(&self.table)) {
            let constraint = schema.tables.get_mut(&name).and_then(|table| table.constraints.get_mut(self.name.as_str()));
            if let Some(constraint) = constraint {
                constraint.validated = true;
            }
        }
    }

    fn effects(&self, schema: &Schema) -> Effects {
        let effects = Effects::lock(&self.table, LockMode::ShareUpdateExclusive);
        match self.constraint(schema) {
            Some(Constraint { validated: true, .. }) => effects,
            Some(Constraint { kind: ConstraintKind::ForeignKey(key), .. }) => {
                effects.and_lock(&key.references, LockMode::RowShare).and_scan(&self.table)
            }
            _ => effects.and_scan(&self.table).and_descendants(schema, &self.table),
        }
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        let Some(again) = AddConstraint::again(before, &self.table, &self.name) else {
            return Err(NoInverse::because(format!("nothing is known of constraint `{}` of table `{}`", self.name, self.table)));
        };
        if again.constraint.validated {
            return Ok(Vec::new());
        }
        Ok(vec![DropConstraint::new(self.table.clone(), self.name.clone()).into(), again.into()])
    }

    fn render(&self) -> Vec<String> {
        vec![format!("alter table {} validate constraint {}", self.table.quoted(), self.name.quoted())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::ValidateConstraint;
    use crate::lower::syntax;
    use crate::name::QualifiedName;
    use squawk_syntax::ast;

    impl ValidateConstraint {
        pub(crate) fn lower(table: &QualifiedName, action: &ast::ValidateConstraint) -> Option<Self> {
            let name = syntax::path_ref(&action.constraint_name_ref()?.path_ref()?)?.name;
            Some(Self { table: table.clone(), name })
        }
    }
}
