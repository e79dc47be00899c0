//! `alter domain`.
//!
//! - **SQL**: `alter domain email add constraint sane check (value like '%@%')`
//! - **Lock**: share on every table with a column of the domain, where the stored values are looked at; otherwise none
//! - **Rewrites**: nothing; `set not null`, a constraint that isn't `not valid` and `validate` read those tables whole
//! - **Transaction**: inside
//! - **Undo**: the state before
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER DOMAIN`; `validateDomainCheckConstraint` of `src/backend/commands/typecmds.c`

use super::create_domain;
use crate::effects::{Effects, LockMode};
use crate::expression::Expression;
use crate::name::{Name, QualifiedName};
use crate::naming;
use crate::operation::{Inverse, NoInverse, Operate};
use crate::render;
use crate::report::Report;
use crate::schema::{Domain, DomainCheck, ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Changes a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlterDomain {
    /// The domain.
    pub name: QualifiedName,
    /// How.
    pub change: DomainChange,
}

/// What becomes of a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DomainChange {
    /// `set default`: of columns that have none of their own.
    SetDefault(Expression),
    /// `drop default`.
    DropDefault,
    /// `set not null`.
    SetNotNull,
    /// `drop not null`.
    DropNotNull,
    /// `add constraint … check`.
    AddConstraint {
        /// Its name; an empty one is filled in by `bind`.
        name: Name,
        /// What has to hold of `value`.
        expression: Expression,
        /// Whether the stored values are looked at.
        validated: bool,
    },
    /// `drop constraint`.
    DropConstraint {
        /// Its name.
        name: Name,
        /// `if exists`.
        if_exists: bool,
    },
    /// `validate constraint`.
    ValidateConstraint(Name),
    /// `rename constraint`.
    RenameConstraint {
        /// Its name.
        from: Name,
        /// Its new name.
        to: Name,
    },
}

impl DomainChange {
    fn sql(&self) -> String {
        match self {
            Self::SetDefault(default) => format!("set default {}", default.sql()),
            Self::DropDefault => "drop default".to_owned(),
            Self::SetNotNull => "set not null".to_owned(),
            Self::DropNotNull => "drop not null".to_owned(),
            Self::AddConstraint { name, expression, validated } => {
                let check = DomainCheck { expression: expression.clone(), validated: *validated };
                format!("add {}", render::domain_check(name, &check))
            }
            Self::DropConstraint { name, .. } => format!("drop constraint {}", name.quoted()),
            Self::ValidateConstraint(name) => format!("validate constraint {}", name.quoted()),
            Self::RenameConstraint { from, to } => format!("rename constraint {} to {}", from.quoted(), to.quoted()),
        }
    }

    fn apply(&self, domain: &mut Domain) {
        match self {
            Self::SetDefault(default) => domain.default = Some(default.clone()),
            Self::DropDefault => domain.default = None,
            Self::SetNotNull => domain.not_null = true,
            Self::DropNotNull => domain.not_null = false,
            Self::AddConstraint { name, expression, validated } => {
                let check = DomainCheck { expression: expression.clone(), validated: *validated };
                domain.checks.entry(name.clone()).or_insert(check);
            }
            Self::DropConstraint { name, .. } => {
                domain.checks.remove(name);
            }
            Self::ValidateConstraint(name) => {
                if let Some(check) = domain.checks.get_mut(name) {
                    check.validated = true;
                }
            }
            Self::RenameConstraint { to, .. } if domain.checks.contains_key(to) => {}
            Self::RenameConstraint { from, to } => {
                if let Some(check) = domain.checks.remove(from) {
                    domain.checks.insert(to.clone(), check);
                }
            }
        }
    }

    /// What leads back to `before`; `None`: nothing does.
    fn reverse(&self, before: &Domain) -> Option<Self> {
        Some(match self {
            Self::SetDefault(_) | Self::DropDefault => match &before.default {
                Some(default) => Self::SetDefault(default.clone()),
                None => Self::DropDefault,
            },
            Self::SetNotNull => Self::DropNotNull,
            Self::DropNotNull => Self::SetNotNull,
            Self::AddConstraint { name, .. } => Self::DropConstraint { name: name.clone(), if_exists: false },
            Self::DropConstraint { name, .. } => {
                let check = before.checks.get(name)?;
                Self::AddConstraint { name: name.clone(), expression: check.expression.clone(), validated: check.validated }
            }
            Self::ValidateConstraint(_) => return None,
            Self::RenameConstraint { from, to } => Self::RenameConstraint { from: to.clone(), to: from.clone() },
        })
    }
}

impl AlterDomain {
    fn domain<'a>(&self, schema: &'a Schema) -> Option<&'a Domain> {
        schema.domains.get(&self.name)
    }

    /// Whether the values that are stored already are looked at.
    fn scans(&self, schema: &Schema) -> bool {
        let domain = self.domain(schema);
        match &self.change {
            DomainChange::SetNotNull => domain.is_none_or(|domain| !domain.not_null),
            DomainChange::AddConstraint { validated, .. } => *validated,
            DomainChange::ValidateConstraint(name) => {
                domain.is_none_or(|domain| domain.checks.get(name).is_none_or(|check| !check.validated))
            }
            _ => false,
        }
    }

    /// Reports a constraint that isn't there, or a name that is taken. The answer says whether all is well.
    fn check_constraint(&self, domain: &Domain, schema: &Schema, report: &mut Report) -> bool {
        let needed = match &self.change {
            DomainChange::DropConstraint { name, if_exists: false }
            | DomainChange::ValidateConstraint(name)
            | DomainChange::RenameConstraint { from: name, .. } => Some(name),
            _ => None,
        };
        if let Some(name) = needed.filter(|name| !domain.checks.contains_key(*name)) {
            report.no_domain_constraint(schema, &self.name, name);
            return false;
        }
        let added = match &self.change {
            DomainChange::AddConstraint { name, .. } | DomainChange::RenameConstraint { to: name, .. } => name,
            _ => return true,
        };
        report.check_length([added]);
        let taken = domain.checks.contains_key(added);
        if taken {
            report.problem(added.at, format!("domain `{}` has a constraint `{added}` already", self.name));
        }
        !taken
    }
}

impl Operate for AlterDomain {
    fn describe(&self) -> String {
        match &self.change {
            DomainChange::SetDefault(_) => format!("set the default of domain `{}`", self.name),
            DomainChange::DropDefault => format!("drop the default of domain `{}`", self.name),
            DomainChange::SetNotNull => format!("set domain `{}` not null", self.name),
            DomainChange::DropNotNull => format!("let domain `{}` be null", self.name),
            DomainChange::AddConstraint { name, .. } => format!("add constraint `{name}` to domain `{}`", self.name),
            DomainChange::DropConstraint { name, .. } => format!("drop constraint `{name}` of domain `{}`", self.name),
            DomainChange::ValidateConstraint(name) => format!("validate constraint `{name}` of domain `{}`", self.name),
            DomainChange::RenameConstraint { from, to } => format!("rename constraint `{from}` of domain `{}` to `{to}`", self.name),
        }
    }

    fn requires(&self) -> Vec<ObjectKey> {
        Vec::new()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Type(self.name.clone())]
    }

    fn bind(&mut self, schema: &Schema) {
        if let DomainChange::AddConstraint { name, .. } = &mut self.change
            && name.as_str().is_empty()
        {
            *name = naming::domain_check(schema, &self.name, &[]);
        }
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        if let DomainChange::AddConstraint { expression, .. } = &self.change {
            create_domain::check_expression(expression, report);
        }
        if !report.needs_domain(schema, &self.name) {
            return;
        }
        let Some(domain) = self.domain(schema) else { return };
        if self.check_constraint(domain, schema, report)
            && self.scans(schema)
            && let Some((table, column)) = schema.column_wrapping(&self.name)
        {
            let message = format!("PostgreSQL can't look for values of domain `{}` in column `{table}.{column}`", self.name);
            let help = match self.change {
                DomainChange::AddConstraint { .. } => "add the constraint `not valid`: new values are checked all the same",
                _ => "it is an array or a composite value: change the type of the column first",
            };
            report.problem(self.name.at(), message).help = Some(help.to_owned());
        }
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        if let Some(domain) = schema.domains.get_mut(&self.name) {
            self.change.apply(domain);
        }
    }

    fn effects(&self, schema: &Schema) -> Effects {
        if !self.scans(schema) {
            return Effects::default();
        }
        let mut tables: Vec<_> = schema.columns_of_domain(&self.name).into_iter().map(|(table, _)| table).collect();
        tables.sort();
        tables.dedup();
        tables.iter().fold(Effects::default(), |effects, table| effects.and_lock(table, LockMode::Share).and_scan(table))
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        let Some(domain) = self.domain(before) else {
            return Err(NoInverse::because(format!("nothing is known of domain `{}`", self.name)));
        };
        let mut after = domain.clone();
        self.change.apply(&mut after);
        if after == *domain {
            return Ok(Vec::new());
        }
        let again = |change| Self { name: self.name.clone(), change }.into();
        match (self.change.reverse(domain), &self.change) {
            (Some(change), _) => Ok(vec![again(change)]),
            // there is no way to take the validation back
            (None, DomainChange::ValidateConstraint(name)) => {
                let Some(check) = domain.checks.get(name) else { return Ok(Vec::new()) };
                let drop = DomainChange::DropConstraint { name: name.clone(), if_exists: false };
                let add = DomainChange::AddConstraint { name: name.clone(), expression: check.expression.clone(), validated: false };
                Ok(vec![again(drop), again(add)])
            }
            (None, _) => Err(NoInverse::because(format!("nothing is known of the constraint of domain `{}`", self.name))),
        }
    }

    fn render(&self) -> Vec<String> {
        vec![format!("alter domain {} {}", self.name.quoted(), self.change.sql())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::{AlterDomain, DomainChange};
    use crate::lower::{columns, constraints, syntax};
    use crate::operation::Operation;
    use crate::ops::{AlterOwner, RenameType, SetTypeSchema};
    use crate::schema::{ConstraintKind, ObjectKey};
    use squawk_syntax::ast;

    impl AlterDomain {
        /// `None` for `not null` as a constraint (PostgreSQL 17).
        pub(crate) fn lower(statement: &ast::AlterDomain) -> Option<Operation> {
            let name = syntax::path_ref(&statement.domain_ref()?.path_ref()?)?;
            let change = match statement.action()? {
                ast::AlterDomainAction::SetDefault(it) => match columns::default(&it.expr()?) {
                    Some(default) => DomainChange::SetDefault(default),
                    None => DomainChange::DropDefault,
                },
                ast::AlterDomainAction::DropDefault(_) => DomainChange::DropDefault,
                ast::AlterDomainAction::SetNotNull(_) => DomainChange::SetNotNull,
                ast::AlterDomainAction::DropNotNull(_) => DomainChange::DropNotNull,
                ast::AlterDomainAction::AddConstraint(it) => {
                    let ast::Constraint::CheckConstraint(check) = it.constraint()? else { return None };
                    let constraint = constraints::check(&check)?;
                    let ConstraintKind::Check { expression, .. } = constraint.kind else { return None };
                    DomainChange::AddConstraint { name: constraint.name, expression, validated: constraint.validated }
                }
                ast::AlterDomainAction::DropConstraint(it) => {
                    let name = syntax::path_ref(&it.constraint_name_ref()?.path_ref()?)?.name;
                    DomainChange::DropConstraint { name, if_exists: it.if_exists().is_some() }
                }
                ast::AlterDomainAction::ValidateConstraint(it) => {
                    DomainChange::ValidateConstraint(syntax::path_ref(&it.constraint_name_ref()?.path_ref()?)?.name)
                }
                ast::AlterDomainAction::RenameConstraint(it) => DomainChange::RenameConstraint {
                    from: syntax::path_ref(&it.constraint_name_ref()?.path_ref()?)?.name,
                    to: syntax::name(&it.constraint_name()?),
                },
                ast::AlterDomainAction::DomainRenameTo(it) => {
                    let to = syntax::path(&it.domain()?.path()?)?.name;
                    return Some(RenameType { name, to, domain: true }.into());
                }
                ast::AlterDomainAction::SetSchema(it) => {
                    return Some(SetTypeSchema { name, schema: syntax::name(&it.schema_ref()?), domain: true }.into());
                }
                ast::AlterDomainAction::OwnerTo(owner) => return Some(AlterOwner::lower(ObjectKey::Type(name), &owner)?.into()),
            };
            Some(Self { name, change }.into())
        }
    }
}
