//! `alter table … rename to`.
//!
//! - **SQL**: `alter table documents rename to papers`
//! - **Lock**: access exclusive on the table
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: the other way round
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `RENAME TO`

use crate::effects::{Effects, LockMode};
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, Operate};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Gives a table another name. Its constraints, indexes and sequences keep theirs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenameTable {
    /// The table.
    pub table: QualifiedName,
    /// Its new name, in the same schema.
    pub to: Name,
}

impl RenameTable {
    fn target(&self) -> QualifiedName {
        self.table.sibling(self.to.clone())
    }
}

impl Operate for RenameTable {
    fn describe(&self) -> String {
        format!("rename table `{}` to `{}`", self.table, self.to)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        Vec::new()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Table(self.table.clone()), ObjectKey::Table(self.target())]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        report.check_length([&self.to]);
        if !report.needs_table(schema, &self.table) {
            report.forgive(ObjectKey::Table(self.target()));
        }
        report.new_table_name(schema, &self.target());
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        if schema.move_table(&self.table, &self.target()) {
            schema.record_departure(ObjectKey::Table(self.table.clone()), Some(self.to.to_string()), origin);
        }
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects { breaks_readers: true, ..Effects::lock(&self.table, LockMode::AccessExclusive) }
    }

    fn inverse(&self, _before: &Schema) -> Inverse {
        Ok(vec![Self { table: self.target(), to: self.table.name.clone() }.into()])
    }

    fn render(&self) -> Vec<String> {
        vec![format!("alter table {} rename to {}", self.table.quoted(), self.to.quoted())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::RenameTable;
    use crate::lower::syntax;
    use crate::name::QualifiedName;
    use squawk_syntax::ast;

    impl RenameTable {
        pub(crate) fn lower(table: &QualifiedName, action: &ast::TableRenameTo) -> Option<Self> {
            Some(Self { table: table.clone(), to: syntax::path(&action.table_name()?.path()?)?.name })
        }
    }
}
