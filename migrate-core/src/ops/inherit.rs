//! `alter table … inherit`.
//!
//! - **SQL**: `alter table documents_2024 inherit documents`
//! - **Lock**: access exclusive on the table, share update exclusive on its new parent
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: `no inherit`
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `INHERIT`

use crate::checks;
use crate::effects::{Effects, LockMode};
use crate::name::QualifiedName;
use crate::operation::{Inverse, Operate};
use crate::ops::NoInherit;
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Makes a table the child of another one, whose columns it has already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inherit {
    /// The table.
    pub table: QualifiedName,
    /// Its new parent.
    pub parent: QualifiedName,
}

impl Operate for Inherit {
    fn describe(&self) -> String {
        format!("let table `{}` inherit from `{}`", self.table, self.parent)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Table(self.parent.clone())]
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Table(self.table.clone())]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        let known = report.needs_table(schema, &self.table);
        if !report.needs_table(schema, &self.parent) || !known {
            return;
        }
        let Some(child) = schema.table(&self.table) else { return };
        if child.inherits.contains(&self.parent) {
            report.has_parent_already(&self.table, &self.parent, "inherits from");
        } else if let Some(partition) = &child.partition {
            report.has_parent_already(&self.table, &partition.of, "is a partition of");
        } else {
            let told = report.problems.len();
            checks::can_inherit(schema, &self.parent, report);
            if report.problems.len() == told {
                checks::fits_parent(schema, &self.parent, &self.table, report);
            }
        }
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        if self.table == self.parent || schema.descendants(&self.table).contains(&self.parent) {
            return;
        }
        let Some(table) = schema.tables.get_mut(&self.table) else { return };
        if !table.inherits.contains(&self.parent) {
            table.inherits.push(self.parent.clone());
        }
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects::lock(&self.table, LockMode::AccessExclusive).and_lock(&self.parent, LockMode::ShareUpdateExclusive)
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        if before.table(&self.table).is_some_and(|table| table.inherits.contains(&self.parent)) {
            return Ok(Vec::new());
        }
        Ok(vec![NoInherit { table: self.table.clone(), parent: self.parent.clone() }.into()])
    }

    fn render(&self) -> Vec<String> {
        vec![format!("alter table {} inherit {}", self.table.quoted(), self.parent.quoted())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::Inherit;
    use crate::lower::syntax;
    use crate::name::QualifiedName;
    use squawk_syntax::ast;

    impl Inherit {
        pub(crate) fn lower(table: &QualifiedName, action: &ast::InheritTable) -> Option<Self> {
            Some(Self { table: table.clone(), parent: syntax::table_ref(&action.table_name_ref()?)? })
        }
    }
}
