//! `create policy`.
//!
//! - **SQL**: `create policy own on documents for select to app using (owner_id = current_setting('app.user')::uuid)`
//! - **Lock**: access exclusive on the table; access share on what its subqueries read
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: `drop policy`
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `CREATE POLICY`

use crate::checks;
use crate::effects::{Effects, LockMode};
use crate::expression::Expression;
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, Operate};
use crate::ops::{CommentOn, DropPolicy};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Policy, PolicyCommand, Schema, relations_read};
use serde::{Deserialize, Serialize};

/// Gives a table a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatePolicy {
    /// The table.
    pub table: QualifiedName,
    /// The policy's name.
    pub name: Name,
    /// The policy.
    pub policy: Policy,
    /// What its subqueries read.
    #[serde(default)]
    pub relations: Vec<QualifiedName>,
}

impl CreatePolicy {
    /// What creates `policy` as it is, its comment not included.
    #[must_use]
    pub fn of(table: &QualifiedName, name: &Name, policy: &Policy) -> Self {
        let policy = Policy { comment: None, ..policy.clone() };
        let relations = relations_read(table, policy.expressions());
        Self { table: table.clone(), name: name.clone(), policy, relations }
    }

    fn key(&self) -> ObjectKey {
        ObjectKey::Policy(self.table.clone(), self.name.clone())
    }
}

/// The operations that create `policy` as it is.
pub(super) fn recreate(table: &QualifiedName, name: &Name, policy: &Policy) -> Vec<crate::operation::Operation> {
    let comment = CommentOn::restore(ObjectKey::Policy(table.clone(), name.clone()), policy.comment.as_ref());
    std::iter::once(CreatePolicy::of(table, name, policy).into()).chain(comment).collect()
}

/// Reports the conditions that a policy for this command can't have, and what they name that isn't there.
pub(super) fn check_conditions(
    schema: &Schema,
    table: &QualifiedName,
    command: PolicyCommand,
    (using, check): (Option<&Expression>, Option<&Expression>),
    relations: &[QualifiedName],
    report: &mut Report,
) {
    if let (PolicyCommand::Insert, Some(using)) = (command, using) {
        report.problem(using.at, "a policy for `insert` has no `using`: there is no row yet").help =
            Some("write `with check` instead".to_owned());
    }
    if let (PolicyCommand::Select | PolicyCommand::Delete, Some(check)) = (command, check) {
        report.problem(check.at, format!("a policy for `{}` has no `with check`: no row is written", command.sql())).help =
            Some(if using.is_some() { "leave it out: `using` decides alone" } else { "write `using` instead" }.to_owned());
    }
    if let Some(table) = schema.table(table) {
        for condition in using.into_iter().chain(check) {
            checks::references(schema, table, condition, report);
        }
    }
    for relation in relations {
        report.needs_relation(schema, relation);
    }
}

/// The table, and what subqueries read besides it.
pub(super) fn locks(table: &QualifiedName, relations: &[QualifiedName]) -> Effects {
    let others = relations.iter().filter(|relation| *relation != table);
    others.fold(Effects::lock(table, LockMode::AccessExclusive), |effects, relation| effects.and_lock(relation, LockMode::AccessShare))
}

/// The table, and what subqueries read, as objects.
pub(super) fn requires(table: &QualifiedName, relations: &[QualifiedName]) -> Vec<ObjectKey> {
    let others = relations.iter().filter(|relation| *relation != table);
    std::iter::once(table).chain(others).cloned().map(ObjectKey::Table).collect()
}

/// Whether the policies of the table are looked at.
pub(super) fn are_enforced(schema: &Schema, table: &QualifiedName) -> bool {
    schema.table(table).is_some_and(|table| table.row_security.enabled)
}

impl Operate for CreatePolicy {
    fn describe(&self) -> String {
        format!("create policy `{}` on `{}`", self.name, self.table)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        requires(&self.table, &self.relations)
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![self.key()]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        report.check_length([&self.name]);
        if report.needs_table(schema, &self.table) && schema.table(&self.table).is_some_and(|table| table.policies.contains_key(&self.name))
        {
            report.already_exists(schema, &self.key(), self.name.at);
        }
        let Policy { command, using, check, .. } = &self.policy;
        check_conditions(schema, &self.table, *command, (using.as_ref(), check.as_ref()), &self.relations, report);
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        if let Some(table) = schema.tables.get_mut(&self.table) {
            table.policies.entry(self.name.clone()).or_insert_with(|| self.policy.clone());
        }
    }

    fn effects(&self, schema: &Schema) -> Effects {
        let breaks_readers = !self.policy.permissive && are_enforced(schema, &self.table);
        Effects { breaks_readers, ..locks(&self.table, &self.relations) }
    }

    fn inverse(&self, _before: &Schema) -> Inverse {
        Ok(vec![DropPolicy { table: self.table.clone(), name: self.name.clone(), if_exists: false }.into()])
    }

    fn render(&self) -> Vec<String> {
        vec![format!("create policy {} on {}{}", self.name.quoted(), self.table.quoted(), self.policy.sql())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::CreatePolicy;
    use crate::lower::{relations, roles, syntax};
    use crate::name::Name;
    use crate::schema::{EVERYBODY, Policy, PolicyCommand};
    use squawk_syntax::ast::{self, AstNode};

    impl CreatePolicy {
        /// `None` for a policy that is for whoever creates it.
        pub(crate) fn lower(statement: &ast::CreatePolicy) -> Option<Self> {
            let permissive = match statement.as_policy_type().map(|it| Some(it.ident_token()?.text().to_lowercase())) {
                None => true,
                Some(word) => match word?.as_str() {
                    "permissive" => true,
                    "restrictive" => false,
                    _ => return None,
                },
            };
            let command = match statement.policy_command().map(|it| it.command()) {
                None => PolicyCommand::All,
                Some(command) => match command? {
                    ast::PolicyCommandKind::PolicyCommandAll(_) => PolicyCommand::All,
                    ast::PolicyCommandKind::PolicyCommandSelect(_) => PolicyCommand::Select,
                    ast::PolicyCommandKind::PolicyCommandInsert(_) => PolicyCommand::Insert,
                    ast::PolicyCommandKind::PolicyCommandUpdate(_) => PolicyCommand::Update,
                    ast::PolicyCommandKind::PolicyCommandDelete(_) => PolicyCommand::Delete,
                },
            };
            let roles = match statement.policy_roles() {
                None => vec![Name::new(EVERYBODY)],
                Some(list) => roles::roles(&list.role_ref_list()?)?,
            };
            let using = statement.using_expr_clause().and_then(|it| it.expr());
            let check = statement.with_check_expr_clause().and_then(|it| it.expr());
            let relations = using.iter().chain(&check).flat_map(|it| relations::read_by(it.syntax())).collect();
            let condition = |expression: Option<ast::Expr>| expression.map(|it| syntax::condition(&it));
            let policy = Policy { permissive, command, roles, using: condition(using), check: condition(check), comment: None };
            let table = syntax::table_ref(&statement.on_table()?.table_name_ref()?)?;
            Some(Self { table, name: syntax::name(&statement.policy()?), policy, relations })
        }
    }
}
