//! `drop policy`.
//!
//! - **SQL**: `drop policy own on documents`
//! - **Lock**: access exclusive on the table
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: `create policy`
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `DROP POLICY`

use super::create_policy;
use crate::effects::{Effects, LockMode};
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, NoInverse, Operate};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Policy, Schema, Unmodelled};
use serde::{Deserialize, Serialize};

/// Drops a policy. Nothing depends on one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropPolicy {
    /// The table.
    pub table: QualifiedName,
    /// The policy.
    pub name: Name,
    /// `if exists`.
    #[serde(default)]
    pub if_exists: bool,
}

impl DropPolicy {
    fn key(&self) -> ObjectKey {
        ObjectKey::Policy(self.table.clone(), self.name.clone())
    }

    fn policy<'a>(&self, schema: &'a Schema) -> Option<&'a Policy> {
        schema.table(&self.table)?.policies.get(&self.name)
    }
}

impl Operate for DropPolicy {
    fn describe(&self) -> String {
        format!("drop policy `{}` on `{}`", self.name, self.table)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Table(self.table.clone())]
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![self.key()]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        if report.needs_table(schema, &self.table) && !self.if_exists {
            report.needs_policy(schema, &self.table, &self.name);
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        let Some(table) = schema.tables.get_mut(&self.table) else { return };
        if table.policies.remove(&self.name).is_some() || table.unmodelled.remove(&Unmodelled::Policy(self.name.clone())) {
            schema.record_departure(self.key(), None, origin);
        }
    }

    fn effects(&self, schema: &Schema) -> Effects {
        let permissive = self.policy(schema).is_none_or(|policy| policy.permissive);
        let breaks_readers = permissive && create_policy::are_enforced(schema, &self.table);
        Effects { breaks_readers, ..Effects::lock(&self.table, LockMode::AccessExclusive) }
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        match self.policy(before) {
            Some(policy) => Ok(create_policy::recreate(&self.table, &self.name, policy)),
            None if self.if_exists && !before.has_unmodelled_policy(&self.table, &self.name) => Ok(Vec::new()),
            None => Err(NoInverse::because(format!("nothing is known of policy `{}` of table `{}`", self.name, self.table))),
        }
    }

    fn render(&self) -> Vec<String> {
        vec![format!("drop policy {} on {}", self.name.quoted(), self.table.quoted())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::DropPolicy;
    use crate::lower::syntax;
    use squawk_syntax::ast;

    impl DropPolicy {
        pub(crate) fn lower(statement: &ast::DropPolicy) -> Option<Self> {
            let table = syntax::table_ref(&statement.on_table()?.table_name_ref()?)?;
            Some(Self { table, name: syntax::name(&statement.policy_ref()?), if_exists: statement.if_exists().is_some() })
        }
    }
}
