//! `alter table … row level security`.
//!
//! - **SQL**: `alter table documents enable row level security`
//! - **Lock**: access exclusive on the table
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: the state before
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `ENABLE ROW LEVEL SECURITY`

use crate::effects::{Effects, LockMode};
use crate::name::QualifiedName;
use crate::operation::{Inverse, NoInverse, Operate};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, RowSecurity, Schema};
use serde::{Deserialize, Serialize};

/// Switches row level security of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlterRowSecurity {
    /// The table.
    pub table: QualifiedName,
    /// How.
    pub change: RowSecurityChange,
}

/// What becomes of row level security.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowSecurityChange {
    /// `enable`: policies decide for everybody but the owner.
    Enable,
    /// `disable`.
    Disable,
    /// `force`: for the owner, too.
    Force,
    /// `no force`.
    NoForce,
}

impl RowSecurityChange {
    fn sql(self) -> &'static str {
        match self {
            Self::Enable => "enable row level security",
            Self::Disable => "disable row level security",
            Self::Force => "force row level security",
            Self::NoForce => "no force row level security",
        }
    }

    fn apply(self, to: RowSecurity) -> RowSecurity {
        match self {
            Self::Enable => RowSecurity { enabled: true, ..to },
            Self::Disable => RowSecurity { enabled: false, ..to },
            Self::Force => RowSecurity { forced: true, ..to },
            Self::NoForce => RowSecurity { forced: false, ..to },
        }
    }

    fn reverse(self) -> Self {
        match self {
            Self::Enable => Self::Disable,
            Self::Disable => Self::Enable,
            Self::Force => Self::NoForce,
            Self::NoForce => Self::Force,
        }
    }
}

impl AlterRowSecurity {
    /// What makes row level security of a new table what it is to be.
    pub(super) fn restore(table: &QualifiedName, to: RowSecurity) -> impl Iterator<Item = Self> {
        let changes = [to.enabled.then_some(RowSecurityChange::Enable), to.forced.then_some(RowSecurityChange::Force)];
        changes.into_iter().flatten().map(|change| Self { table: table.clone(), change })
    }
}

impl Operate for AlterRowSecurity {
    fn describe(&self) -> String {
        format!("{} on `{}`", self.change.sql(), self.table)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        Vec::new()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Table(self.table.clone())]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        report.needs_table(schema, &self.table);
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        if let Some(table) = schema.tables.get_mut(&self.table) {
            table.row_security = self.change.apply(table.row_security);
        }
    }

    fn effects(&self, schema: &Schema) -> Effects {
        let hidden = |rows: RowSecurity| (rows.enabled, rows.enabled && rows.forced);
        let before = schema.table(&self.table).map(|table| table.row_security).unwrap_or_default();
        let (before, after) = (hidden(before), hidden(self.change.apply(before)));
        let breaks_readers = (after.0 && !before.0) || (after.1 && !before.1);
        Effects { breaks_readers, ..Effects::lock(&self.table, LockMode::AccessExclusive) }
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        let Some(table) = before.table(&self.table) else {
            return Err(NoInverse::because(format!("nothing is known of table `{}`", self.table)));
        };
        if self.change.apply(table.row_security) == table.row_security {
            return Ok(Vec::new());
        }
        Ok(vec![Self { table: self.table.clone(), change: self.change.reverse() }.into()])
    }

    fn render(&self) -> Vec<String> {
        vec![format!("alter table {} {}", self.table.quoted(), self.change.sql())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::{AlterRowSecurity, RowSecurityChange};
    use crate::name::QualifiedName;
    use squawk_syntax::ast;

    impl AlterRowSecurity {
        pub(crate) fn lower(table: &QualifiedName, action: &ast::AlterTableAction) -> Option<Self> {
            let change = match action {
                ast::AlterTableAction::EnableRls(_) => RowSecurityChange::Enable,
                ast::AlterTableAction::DisableRls(_) => RowSecurityChange::Disable,
                ast::AlterTableAction::ForceRls(_) => RowSecurityChange::Force,
                ast::AlterTableAction::NoForceRls(_) => RowSecurityChange::NoForce,
                _ => return None,
            };
            Some(Self { table: table.clone(), change })
        }
    }
}
