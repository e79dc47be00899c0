//! Row level security: who sees and changes which rows of a table.

use super::{Schema, Table, Tie, Unmodelled};
use crate::expression::Expression;
use crate::name::{Name, QualifiedName, quoted_list};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// Whether the policies of a table are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RowSecurity {
    /// `enable row level security`: for everybody but the owner.
    pub enabled: bool,
    /// `force row level security`: for the owner, too.
    pub forced: bool,
}

/// What a policy is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyCommand {
    /// Every command.
    #[default]
    All,
    /// `select`.
    Select,
    /// `insert`.
    Insert,
    /// `update`.
    Update,
    /// `delete`.
    Delete,
}

impl PolicyCommand {
    /// As SQL.
    #[must_use]
    pub fn sql(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Select => "select",
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// A policy of a table. The role `public`, whose name no other role can have, is everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Whether it permits, or takes away from what others permit.
    pub permissive: bool,
    /// What it is about.
    pub command: PolicyCommand,
    /// For whom, by name, each once.
    pub roles: Vec<Name>,
    /// Which rows are there: `using (…)`.
    #[serde(default)]
    pub using: Option<Expression>,
    /// Which rows may be written: `with check (…)`.
    #[serde(default)]
    pub check: Option<Expression>,
    /// The text of `comment on policy`.
    #[serde(default)]
    pub comment: Option<String>,
}

impl Policy {
    /// What stands behind its table: `as restrictive for select to reader using (…)`.
    #[must_use]
    pub fn sql(&self) -> String {
        let mut sql = String::new();
        if !self.permissive {
            sql.push_str(" as restrictive");
        }
        if self.command != PolicyCommand::All {
            let _ = write!(sql, " for {}", self.command.sql());
        }
        if self.roles.iter().any(|role| role.as_str() != EVERYBODY) {
            let _ = write!(sql, " to {}", quoted_list(&self.roles));
        }
        sql + &conditions_sql(self.using.as_ref(), self.check.as_ref())
    }

    /// Its expressions.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.using.iter().chain(&self.check)
    }

    /// Its expressions, to change them.
    pub fn expressions_mut(&mut self) -> impl Iterator<Item = &mut Expression> {
        self.using.iter_mut().chain(&mut self.check)
    }
}

/// The name that stands for every role.
pub const EVERYBODY: &str = "public";

/// ` using (…) with check (…)`.
pub(crate) fn conditions_sql(using: Option<&Expression>, check: Option<&Expression>) -> String {
    let using = using.map(|it| format!(" using ({})", it.sql())).unwrap_or_default();
    using + &check.map(|it| format!(" with check ({})", it.sql())).unwrap_or_default()
}

/// The query that reads the rows of a table under a condition: in it, subqueries and the columns of the table have their
/// scopes.
fn query(table: &QualifiedName, condition: &Expression) -> Expression {
    Expression::new(format!("select 1 from {} where ({})", table.quoted(), condition.sql()))
}

/// The condition of such a query. `None` where the table had to be given another name in it, which a policy can't.
fn condition(table: &QualifiedName, query: &Expression) -> Option<Expression> {
    let rest = query.sql().strip_prefix("select 1 from ")?;
    let rest = rest.strip_prefix(table.quoted().as_str()).or_else(|| rest.strip_prefix(table.name.quoted().as_str()))?;
    Some(Expression::new(rest.strip_prefix(" where (")?.strip_suffix(')')?))
}

/// The relations that the subqueries of conditions on the rows of a table read.
pub(crate) fn relations_read<'a>(table: &QualifiedName, conditions: impl Iterator<Item = &'a Expression>) -> Vec<QualifiedName> {
    let mut relations = Vec::new();
    for relation in conditions.flat_map(|condition| query(table, condition).query_relations().into_iter().skip(1)) {
        if !relations.contains(&relation) {
            relations.push(relation);
        }
    }
    relations
}

impl Schema {
    /// Whether a policy of this name was made by a statement that the model has no operation for.
    #[must_use]
    pub fn has_unmodelled_policy(&self, table: &QualifiedName, name: &Name) -> bool {
        self.table(table).is_some_and(|table| table.unmodelled.contains(&Unmodelled::Policy(name.clone())))
    }

    /// The policies that read the column, of its own table and of others whose conditions have subqueries.
    #[must_use]
    pub fn policies_reading_column(&self, table: &QualifiedName, column: &str) -> Vec<(QualifiedName, Name)> {
        let has_column = |relation: &QualifiedName, column: &str| self.has_column(relation, column);
        self.policies_where(|owner, condition| query(&owner.name, condition).query_reads(table, column, &has_column))
    }

    /// The policies of other tables that read the relation.
    #[must_use]
    pub fn policies_reading(&self, relation: &QualifiedName) -> Vec<(QualifiedName, Name)> {
        self.policies_where(|owner, condition| owner.name != *relation && query(&owner.name, condition).query_reads_from(relation))
    }

    fn policies_where(&self, holds: impl Fn(&Table, &Expression) -> bool) -> Vec<(QualifiedName, Name)> {
        let of_table = |table: &Table| {
            let policies = table.policies.iter().filter(|(_, policy)| policy.expressions().any(|condition| holds(table, condition)));
            policies.map(|(name, _)| (table.name.clone(), name.clone())).collect::<Vec<_>>()
        };
        self.tables_that(&Tie::Policy).flat_map(of_table).collect()
    }

    /// Policies follow the rename of a column. The column still has its old name.
    pub(super) fn rename_column_in_policies(&mut self, table: &QualifiedName, from: &Name, to: &Name) {
        self.rewrite_conditions(
            |schema, query| {
                query.rename_query_column(table, from, to, &|relation: &QualifiedName, column: &str| schema.has_column(relation, column));
            },
            |owner| (owner.clone(), owner.clone()),
        );
    }

    /// Policies follow the rename of a table or a view, which has its new name already.
    pub(super) fn follow_relation_rename_in_policies(&mut self, from: &QualifiedName, to: &QualifiedName) {
        self.rewrite_conditions(
            |schema, query| {
                let has_column =
                    |relation: &QualifiedName, column: &str| schema.has_column(if relation == from { to } else { relation }, column);
                query.rename_relation(from, to, &has_column);
            },
            |owner| if owner == to { (from.clone(), to.clone()) } else { (owner.clone(), owner.clone()) },
        );
    }

    /// Changes every condition as the query that it is part of. `names` gives the name of a policy's table in that query
    /// before and after the change.
    fn rewrite_conditions(
        &mut self,
        change: impl Fn(&Self, &mut Expression),
        names: impl Fn(&QualifiedName) -> (QualifiedName, QualifiedName),
    ) {
        let mut changed = Vec::new();
        for table in self.tables_that(&Tie::Policy) {
            let owner = &table.name;
            let (before, after) = names(owner);
            for (name, policy) in &table.policies {
                let mut policy = policy.clone();
                for expression in policy.expressions_mut() {
                    let mut query = query(&before, expression);
                    change(self, &mut query);
                    if let Some(condition) = condition(&after, &query) {
                        *expression = condition;
                    }
                }
                changed.push((owner.clone(), name.clone(), policy));
            }
        }
        for (owner, name, policy) in changed {
            if let Some(table) = self.tables.get_mut(&owner) {
                table.policies.insert(name, policy);
            }
        }
    }
}
