//! `alter table … no inherit`.
//!
//! - **SQL**: `alter table documents_2024 no inherit documents`
//! - **Lock**: access exclusive on the table, access share on its parent
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: `inherit`, where the table had its columns and constraints of its own, too
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `NO INHERIT`

use crate::effects::{Effects, LockMode};
use crate::name::QualifiedName;
use crate::operation::{Inverse, NoInverse, Operate, Operation};
use crate::ops::Inherit;
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Makes a table independent of a parent. What it has from there stays, as its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoInherit {
    /// The table.
    pub table: QualifiedName,
    /// The parent.
    pub parent: QualifiedName,
}

impl Operate for NoInherit {
    fn describe(&self) -> String {
        format!("let table `{}` no longer inherit from `{}`", self.table, self.parent)
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
        if schema.table(&self.table).is_some_and(|table| !table.inherits.contains(&self.parent)) {
            report.not_a_parent(&self.table, &self.parent);
        }
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        let Some(table) = schema.tables.get_mut(&self.table) else { return };
        table.inherits.retain(|parent| *parent != self.parent);
        schema.release(&self.table);
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        let effects = Effects::lock(&self.table, LockMode::AccessExclusive).and_lock(&self.parent, LockMode::AccessShare);
        Effects { breaks_readers: true, ..effects }
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        let Some(table) = before.table(&self.table) else {
            return Err(NoInverse::because(format!("nothing is known of table `{}`", self.table)));
        };
        let mut again: Vec<Operation> = vec![Inherit { table: self.table.clone(), parent: self.parent.clone() }.into()];
        // the parents stand in an order: what comes behind this one goes behind it again
        let behind = table.inherits.iter().skip_while(|parent| **parent != self.parent).skip(1);
        for parent in behind {
            again.insert(0, Self { table: self.table.clone(), parent: parent.clone() }.into());
            again.push(Inherit { table: self.table.clone(), parent: parent.clone() }.into());
        }
        let mut restored = before.clone();
        self.apply(&mut restored, &Origin::default());
        for operation in &again {
            operation.apply(&mut restored, &Origin::default());
        }
        if restored.table(&self.table) == Some(table) {
            return Ok(again);
        }
        Err(NoInverse::because(format!("`inherit` doesn't make the columns of `{}` those of its parent alone again", self.table)))
    }

    fn render(&self) -> Vec<String> {
        vec![format!("alter table {} no inherit {}", self.table.quoted(), self.parent.quoted())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::NoInherit;
    use crate::lower::syntax;
    use crate::name::QualifiedName;
    use squawk_syntax::ast;

    impl NoInherit {
        pub(crate) fn lower(table: &QualifiedName, action: &ast::NoInheritTable) -> Option<Self> {
            Some(Self { table: table.clone(), parent: syntax::table_ref(&action.table_name_ref()?)? })
        }
    }
}
