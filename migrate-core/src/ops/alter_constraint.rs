//! `alter table … alter constraint`.
//!
//! - **SQL**: `alter table documents alter constraint documents_owner_fkey deferrable initially deferred`
//! - **Lock**: access exclusive on the table
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: `alter constraint` with what it was
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `ALTER CONSTRAINT`

use crate::effects::{Effects, LockMode};
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, NoInverse, Operate};
use crate::report::Report;
use crate::schema::{Constraint, ConstraintKind, Deferral, ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Changes when a foreign key is checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlterConstraint {
    /// The table.
    pub table: QualifiedName,
    /// The foreign key.
    pub name: Name,
    /// When it is checked from now on.
    pub deferral: Deferral,
}

impl AlterConstraint {
    fn constraint<'a>(&self, schema: &'a Schema) -> Option<&'a Constraint> {
        schema.table(&self.table)?.constraints.get(self.name.as_str())
    }

    /// The foreign key and its parts on partitions.
    fn all(&self, schema: &Schema) -> Vec<(QualifiedName, Name)> {
        let mut all = vec![(self.table.clone(), self.name.clone())];
        for below in schema.descendants(&self.table) {
            let Some((table, partition)) = schema.table(&below).and_then(|table| Some((table, table.partition.as_ref()?))) else {
                continue;
            };
            let is_part = |constraint: &&Constraint| {
                constraint.parent.as_ref().is_some_and(|parent| all.contains(&(partition.of.clone(), parent.clone())))
            };
            let part = table.constraints.values().find(is_part).map(|part| (below.clone(), part.name.clone()));
            all.extend(part);
        }
        all
    }
}

impl Operate for AlterConstraint {
    fn describe(&self) -> String {
        format!("alter constraint `{}` of `{}`", self.name, self.table)
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
        match self.constraint(schema) {
            None => report.unknown(schema, &ObjectKey::Constraint(self.table.clone(), self.name.clone()), self.name.at),
            Some(constraint) if !matches!(constraint.kind, ConstraintKind::ForeignKey(_)) => report.not_alterable(&self.table, &self.name),
            Some(constraint) if constraint.parent.is_some() => {
                if let Some(parent) = schema.parent_with_constraint(&self.table, self.name.as_str()) {
                    report.inherited_constraint(&self.table, &self.name, parent, "alter");
                }
            }
            Some(_) => {}
        }
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        for (table, name) in self.all(schema) {
            let constraint = schema.tables.get_mut(&table).and_then(|table| table.constraints.get_mut(&name));
            if let Some(constraint) = constraint {
                constraint.deferral = self.deferral;
            }
        }
    }

    fn effects(&self, schema: &Schema) -> Effects {
        Effects::lock(&self.table, LockMode::AccessExclusive).and_descendants(schema, &self.table)
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        let Some(constraint) = self.constraint(before) else {
            return Err(NoInverse::because(format!("nothing is known of constraint `{}` of table `{}`", self.name, self.table)));
        };
        if constraint.deferral == self.deferral {
            return Ok(Vec::new());
        }
        Ok(vec![Self { deferral: constraint.deferral, ..self.clone() }.into()])
    }

    fn render(&self) -> Vec<String> {
        let deferral = match self.deferral {
            Deferral::No => "not deferrable",
            Deferral::Immediate => "deferrable",
            Deferral::Deferred => "deferrable initially deferred",
        };
        vec![format!("alter table {} alter constraint {} {deferral}", self.table.quoted(), self.name.quoted())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::AlterConstraint;
    use crate::lower::syntax;
    use crate::name::QualifiedName;
    use crate::schema::Deferral;
    use squawk_syntax::ast;

    impl AlterConstraint {
        /// `None` for what PostgreSQL 18 alters besides: `inherit`, `enforced`.
        pub(crate) fn lower(table: &QualifiedName, action: &ast::AlterConstraint) -> Option<Self> {
            let name = syntax::path_ref(&action.constraint_name_ref()?.path_ref()?)?.name;
            let mut deferral = Deferral::No;
            for option in action.constraint_options() {
                match option {
                    ast::ConstraintOption::DeferrableConstraintOption(_) if deferral == Deferral::No => deferral = Deferral::Immediate,
                    ast::ConstraintOption::InitiallyDeferredConstraintOption(_) => deferral = Deferral::Deferred,
                    ast::ConstraintOption::DeferrableConstraintOption(_)
                    | ast::ConstraintOption::NotDeferrableConstraintOption(_)
                    | ast::ConstraintOption::InitiallyImmediateConstraintOption(_) => {}
                    _ => return None,
                }
            }
            Some(Self { table: table.clone(), name, deferral })
        }
    }
}
