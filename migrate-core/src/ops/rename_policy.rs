//! `alter policy … rename to`.
//!
//! - **SQL**: `alter policy own on documents rename to owner_only`
//! - **Lock**: access exclusive on the table
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: the rename back
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER POLICY`

use crate::effects::{Effects, LockMode};
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, Operate};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema, Unmodelled};
use serde::{Deserialize, Serialize};

/// Renames a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenamePolicy {
    /// The table.
    pub table: QualifiedName,
    /// The policy.
    pub name: Name,
    /// Its new name.
    pub to: Name,
}

impl RenamePolicy {
    fn key(&self, name: &Name) -> ObjectKey {
        ObjectKey::Policy(self.table.clone(), name.clone())
    }
}

impl Operate for RenamePolicy {
    fn describe(&self) -> String {
        format!("rename policy `{}` of `{}` to `{}`", self.name, self.table, self.to)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Table(self.table.clone())]
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![self.key(&self.name), self.key(&self.to)]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        report.check_length([&self.to]);
        if !report.needs_table(schema, &self.table) || !report.needs_policy(schema, &self.table, &self.name) {
            report.forgive(self.key(&self.to));
        } else if schema.table(&self.table).is_some_and(|table| table.policies.contains_key(&self.to)) {
            report.already_exists(schema, &self.key(&self.to), self.to.at);
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        let Some(table) = schema.tables.get_mut(&self.table).filter(|table| !table.policies.contains_key(&self.to)) else { return };
        if let Some(policy) = table.policies.remove(&self.name) {
            table.policies.insert(self.to.clone(), policy);
            schema.record_departure(self.key(&self.name), Some(self.to.to_string()), origin);
        } else if table.unmodelled.remove(&Unmodelled::Policy(self.name.clone())) {
            table.unmodelled.insert(Unmodelled::Policy(self.to.clone()));
        }
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects::lock(&self.table, LockMode::AccessExclusive)
    }

    fn inverse(&self, _before: &Schema) -> Inverse {
        Ok(vec![Self { table: self.table.clone(), name: self.to.clone(), to: self.name.clone() }.into()])
    }

    fn render(&self) -> Vec<String> {
        vec![format!("alter policy {} on {} rename to {}", self.name.quoted(), self.table.quoted(), self.to.quoted())]
    }
}
