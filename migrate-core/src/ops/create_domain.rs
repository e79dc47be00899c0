//! `create domain`.
//!
//! - **SQL**: `create domain email as text check (value like '%@%')`
//! - **Lock**: none
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: `drop domain`
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `CREATE DOMAIN`

use super::access;
use crate::effects::Effects;
use crate::expression::Expression;
use crate::name::{Name, QualifiedName};
use crate::naming;
use crate::operation::{Inverse, Operate, Operation};
use crate::ops::{AlterDomain, CommentOn, DomainChange, DropType};
use crate::render;
use crate::report::Report;
use crate::schema::{Access, Domain, DomainCheck, ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Creates a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateDomain {
    /// The domain.
    pub name: QualifiedName,
    /// What it is, but for its checks.
    pub domain: Domain,
    /// Its checks as they were written: unnamed ones are named by `bind`.
    #[serde(default)]
    pub checks: Vec<(Name, Expression)>,
}

/// The operations that create `domain` as it is.
pub(super) fn recreate(name: &QualifiedName, domain: &Domain) -> Vec<Operation> {
    let mut shape = Domain { comment: None, access: Access::default(), ..domain.clone() };
    // what doesn't hold for all values can't be said where nothing is stored yet
    let (checks, later): (Vec<_>, Vec<_>) = std::mem::take(&mut shape.checks).into_iter().partition(|(_, check)| check.validated);
    let checks = checks.into_iter().map(|(name, check)| (name, check.expression)).collect();
    let create = CreateDomain { name: name.clone(), domain: shape, checks };
    let add = |(check, of): (Name, DomainCheck)| {
        let change = DomainChange::AddConstraint { name: check, expression: of.expression, validated: false };
        AlterDomain { name: name.clone(), change }.into()
    };
    let comment = CommentOn::restore(ObjectKey::Type(name.clone()), domain.comment.as_ref());
    let access = access::restore(&ObjectKey::Type(name.clone()), &domain.access);
    std::iter::once(create.into()).chain(later.into_iter().map(add)).chain(comment).chain(access).collect()
}

/// Reports what the check of a domain reads besides the value.
pub(super) fn check_expression(expression: &Expression, report: &mut Report) {
    for name in expression.references.iter().filter(|name| name.as_str() != "value") {
        report.problem(name.at, format!("`{name}` means nothing to a domain: its checks see one value")).help =
            Some("write `value` for it".to_owned());
    }
}

impl CreateDomain {
    fn created(&self) -> Domain {
        let check =
            |(name, expression): &(Name, Expression)| (name.clone(), DomainCheck { expression: expression.clone(), validated: true });
        Domain { checks: self.checks.iter().map(check).collect(), ..self.domain.clone() }
    }
}

impl Operate for CreateDomain {
    fn describe(&self) -> String {
        format!("create domain `{}`", self.name)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        super::schema_of(&self.name)
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Type(self.name.clone())]
    }

    fn bind(&mut self, schema: &Schema) {
        let mut taken: Vec<Name> = Vec::new();
        for (name, _) in &mut self.checks {
            if name.as_str().is_empty() {
                *name = naming::domain_check(schema, &self.name, &taken);
            }
            taken.push(name.clone());
        }
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        report.check_length(std::iter::once(&self.name.name).chain(self.checks.iter().map(|(name, _)| name)));
        report.needs_schema(schema, &self.name.schema);
        report.needs_type(schema, &self.domain.base);
        report.type_is_free(schema, &self.name);
        for (i, (name, expression)) in self.checks.iter().enumerate() {
            if self.checks[..i].iter().any(|(earlier, _)| earlier == name) {
                report.problem(name.at, format!("domain `{}` has a constraint `{name}` already", self.name));
            }
            check_expression(expression, report);
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        if !schema.has_type(&self.name) {
            schema.domains.insert(self.name.clone(), Domain { origin: origin.clone(), ..self.created() });
        }
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects::default()
    }

    fn inverse(&self, _before: &Schema) -> Inverse {
        Ok(vec![DropType { domain: true, ..DropType::new(self.name.clone()) }.into()])
    }

    fn render(&self) -> Vec<String> {
        let check = |(name, expression): &(Name, Expression)| {
            let check = DomainCheck { expression: expression.clone(), validated: true };
            format!(" {}", render::domain_check(name, &check))
        };
        let checks: String = self.checks.iter().map(check).collect();
        vec![format!("create domain {} as {}{checks}", self.name.quoted(), render::domain(&self.domain))]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::CreateDomain;
    use crate::lower::{columns, constraints, syntax};
    use crate::schema::{ConstraintKind, Domain};
    use squawk_syntax::ast;

    impl CreateDomain {
        pub(crate) fn lower(statement: &ast::CreateDomain) -> Option<Self> {
            let mut domain = Domain::new(syntax::data_type(&statement.ty()?)?);
            let mut checks = Vec::new();
            for qualifier in statement.domain_qualifiers() {
                match qualifier {
                    ast::DomainQualifier::Collate(collate) => {
                        domain.collation = Some(syntax::path_ref(&collate.collation_ref()?.path_ref()?)?.name.to_string());
                    }
                    ast::DomainQualifier::Constraint(ast::Constraint::DefaultConstraint(it)) => {
                        domain.default = columns::default(&it.expr()?);
                    }
                    ast::DomainQualifier::Constraint(ast::Constraint::NotNullConstraint(_)) => domain.not_null = true,
                    ast::DomainQualifier::Constraint(ast::Constraint::NullConstraint(_)) => {}
                    ast::DomainQualifier::Constraint(ast::Constraint::CheckConstraint(it)) => {
                        let constraint = constraints::check(&it)?;
                        let ConstraintKind::Check { expression, .. } = constraint.kind else { return None };
                        checks.push((constraint.name, expression));
                    }
                    ast::DomainQualifier::Constraint(_) => return None,
                }
            }
            Some(Self { name: syntax::path(&statement.domain()?.path()?)?, domain, checks })
        }
    }
}
