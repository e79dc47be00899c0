//! `alter policy`.
//!
//! - **SQL**: `alter policy own on documents to app using (owner_id is not null)`
//! - **Lock**: access exclusive on the table; access share on what new subqueries read
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: what it was before; `drop policy` and `create policy` where it gained a condition
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER POLICY`

use super::create_policy;
use crate::effects::Effects;
use crate::expression::Expression;
use crate::name::{Name, QualifiedName, quoted_list};
use crate::operation::{Inverse, NoInverse, Operate};
use crate::ops::DropPolicy;
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Policy, Schema, conditions_sql, relations_read};
use serde::{Deserialize, Serialize};

/// Changes for whom a policy is, and what it asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlterPolicy {
    /// The table.
    pub table: QualifiedName,
    /// The policy.
    pub name: Name,
    /// Its new roles, if those change.
    #[serde(default)]
    pub roles: Option<Vec<Name>>,
    /// What it asks of rows that are there, if that changes.
    #[serde(default)]
    pub using: Option<Expression>,
    /// What it asks of rows that are written, if that changes.
    #[serde(default)]
    pub check: Option<Expression>,
    /// What the subqueries of those read.
    #[serde(default)]
    pub relations: Vec<QualifiedName>,
}

impl AlterPolicy {
    fn key(&self) -> ObjectKey {
        ObjectKey::Policy(self.table.clone(), self.name.clone())
    }

    fn policy<'a>(&self, schema: &'a Schema) -> Option<&'a Policy> {
        schema.table(&self.table)?.policies.get(&self.name)
    }

    fn changed(&self, policy: &Policy) -> Policy {
        Policy {
            roles: self.roles.clone().unwrap_or_else(|| policy.roles.clone()),
            using: self.using.clone().or_else(|| policy.using.clone()),
            check: self.check.clone().or_else(|| policy.check.clone()),
            ..policy.clone()
        }
    }
}

impl Operate for AlterPolicy {
    fn describe(&self) -> String {
        format!("alter policy `{}` on `{}`", self.name, self.table)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        create_policy::requires(&self.table, &self.relations)
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![self.key()]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        if report.needs_table(schema, &self.table) {
            report.needs_policy(schema, &self.table, &self.name);
        }
        let command = self.policy(schema).map(|policy| policy.command).unwrap_or_default();
        let conditions = (self.using.as_ref(), self.check.as_ref());
        create_policy::check_conditions(schema, &self.table, command, conditions, &self.relations, report);
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        if let Some(policy) = schema.tables.get_mut(&self.table).and_then(|table| table.policies.get_mut(&self.name)) {
            *policy = self.changed(policy);
        }
    }

    fn effects(&self, schema: &Schema) -> Effects {
        let breaks_readers = create_policy::are_enforced(schema, &self.table);
        Effects { breaks_readers, ..create_policy::locks(&self.table, &self.relations) }
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        let Some(policy) = self.policy(before) else {
            return Err(NoInverse::because(format!("nothing is known of policy `{}` of table `{}`", self.name, self.table)));
        };
        let changed = self.changed(policy);
        if changed == *policy {
            return Ok(Vec::new());
        }
        // a condition can be replaced, but not taken away
        if changed.using.is_some() != policy.using.is_some() || changed.check.is_some() != policy.check.is_some() {
            let drop = DropPolicy { table: self.table.clone(), name: self.name.clone(), if_exists: false };
            let create = create_policy::recreate(&self.table, &self.name, policy);
            return Ok(std::iter::once(drop.into()).chain(create).collect());
        }
        let using = policy.using.clone().filter(|_| changed.using != policy.using);
        let check = policy.check.clone().filter(|_| changed.check != policy.check);
        let inverse = Self {
            table: self.table.clone(),
            name: self.name.clone(),
            roles: Some(policy.roles.clone()).filter(|roles| *roles != changed.roles),
            relations: relations_read(&self.table, using.iter().chain(&check)),
            using,
            check,
        };
        Ok(vec![inverse.into()])
    }

    fn render(&self) -> Vec<String> {
        let roles = self.roles.as_ref().map(|roles| format!(" to {}", quoted_list(roles))).unwrap_or_default();
        let conditions = conditions_sql(self.using.as_ref(), self.check.as_ref());
        vec![format!("alter policy {} on {}{roles}{conditions}", self.name.quoted(), self.table.quoted())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::AlterPolicy;
    use crate::lower::{relations, roles, syntax};
    use crate::operation::Operation;
    use crate::ops::RenamePolicy;
    use squawk_syntax::ast::{self, AstNode};

    impl AlterPolicy {
        /// `None` for a policy that becomes one for whoever changes it.
        pub(crate) fn lower(statement: &ast::AlterPolicy) -> Option<Operation> {
            let table = syntax::table_ref(&statement.on_table()?.table_name_ref()?)?;
            let name = syntax::name(&statement.policy_ref()?);
            let action = match statement.action()? {
                ast::AlterPolicyAction::AlterPolicyTo(action) => action,
                ast::AlterPolicyAction::PolicyRenameTo(to) => {
                    return Some(RenamePolicy { table, name, to: syntax::name(&to.policy()?) }.into());
                }
            };
            let roles = match action.policy_roles() {
                None => None,
                Some(list) => Some(roles::roles(&list.role_ref_list()?)?),
            };
            let using = action.using_expr_clause().and_then(|it| it.expr());
            let check = action.with_check_expr_clause().and_then(|it| it.expr());
            let relations = using.iter().chain(&check).flat_map(|it| relations::read_by(it.syntax())).collect();
            let condition = |expression: Option<ast::Expr>| expression.map(|it| syntax::condition(&it));
            Some(Self { table, name, roles, using: condition(using), check: condition(check), relations }.into())
        }
    }
}
