//! `create schema`.
//!
//! - **SQL**: `create schema reporting`
//! - **Lock**: none
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: `drop schema`
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `CREATE SCHEMA`

use crate::effects::Effects;
use crate::expression::Expression;
use crate::name::{DEFAULT_SCHEMA, Name, QualifiedName};
use crate::operation::{Inverse, NoInverse, Operate};
use crate::ops::DropSchema;
use crate::report::Report;
use crate::schema::{NamedSchema, ObjectKey, Origin, OtherKind, OtherObject, Schema};
use serde::{Deserialize, Serialize};

/// Creates a schema (namespace).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateSchema {
    /// The schema.
    pub name: Name,
    /// `authorization`.
    #[serde(default)]
    pub owner: Option<String>,
    /// The `create` statements behind it, as written: run with it, but known by name only.
    #[serde(default)]
    pub elements: Option<Expression>,
    /// What those create.
    #[serde(default)]
    pub creates: Vec<(OtherKind, QualifiedName)>,
    /// `if not exists`.
    #[serde(default)]
    pub if_not_exists: bool,
}

impl CreateSchema {
    /// What creates an empty schema.
    #[must_use]
    pub fn empty(name: &Name) -> Self {
        Self { name: name.clone(), owner: None, elements: None, creates: Vec::new(), if_not_exists: false }
    }
}

impl Operate for CreateSchema {
    fn describe(&self) -> String {
        format!("create schema `{}`", self.name)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        Vec::new()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Schema(self.name.clone())]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        report.check_length([&self.name]);
        let there = self.name.as_str() == DEFAULT_SCHEMA || schema.schemas.contains_key(&self.name);
        if there && !self.if_not_exists {
            report.already_exists(schema, &ObjectKey::Schema(self.name.clone()), self.name.at);
        }
        if self.name.as_str().starts_with("pg_") {
            report.problem(self.name.at, format!("schema name `{}` is reserved", self.name)).help =
                Some("choose a name that doesn't begin with `pg_`".to_owned());
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        if self.name.as_str() != DEFAULT_SCHEMA {
            schema.schemas.get_or_insert_with(self.name.clone(), NamedSchema::default);
        }
        for (kind, name) in &self.creates {
            schema.others.insert(name.clone(), OtherObject { kind: *kind, of: None, origin: origin.clone() });
        }
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects::default()
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        if before.definition(&ObjectKey::Schema(self.name.clone())).is_some() {
            return Ok(Vec::new());
        }
        if self.elements.is_some() {
            return Err(NoInverse::because("what `create schema` creates with it is not modelled; write it as statements of its own"));
        }
        Ok(vec![DropSchema { name: self.name.clone(), cascade: false, if_exists: false }.into()])
    }

    fn render(&self) -> Vec<String> {
        let owner = self.owner.as_ref().map(|owner| format!(" authorization {owner}")).unwrap_or_default();
        let elements = self.elements.as_ref().map(|elements| format!(" {}", elements.sql())).unwrap_or_default();
        vec![format!("create schema {}{owner}{elements}", self.name.quoted())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::CreateSchema;
    use crate::expression::Expression;
    use crate::lower::syntax;
    use crate::name::{Name, QualifiedName};
    use crate::schema::OtherKind;
    use squawk_syntax::SyntaxKind;
    use squawk_syntax::ast::{self, AstNode};

    impl CreateSchema {
        pub(crate) fn lower(statement: &ast::CreateSchema) -> Option<Self> {
            let (name, owner) = match statement.create_schema_target()? {
                ast::CreateSchemaTarget::NamedSchema(it) => {
                    (syntax::name(&it.schema()?), it.role_ref().map(|role| syntax::text(role.syntax())))
                }
                ast::CreateSchemaTarget::AuthorizationSchema(it) => {
                    let role = it.role()?;
                    (syntax::name(&role), Some(syntax::text(role.syntax())))
                }
            };
            let (elements, _) = Self::elements_and_followers(statement);
            let creates = elements.iter().filter_map(|element| created(element, &name)).collect();
            let elements: Vec<_> = elements.iter().map(|element| syntax::text(element.syntax())).collect();
            let elements = (!elements.is_empty()).then(|| Expression::new(elements.join(" ").trim_end_matches(';')));
            Some(Self { name, owner, elements, creates, if_not_exists: statement.if_not_exists().is_some() })
        }
    }

    impl CreateSchema {
        /// The elements, and what the grammar takes for elements behind a semicolon: statements of their own.
        pub(crate) fn elements_and_followers(statement: &ast::CreateSchema) -> (Vec<ast::Stmt>, Vec<ast::Stmt>) {
            let mut elements: Vec<_> = statement.syntax().children().filter_map(ast::Stmt::cast).collect();
            let ends = |element: &ast::Stmt| {
                syntax::significant_tokens(element.syntax()).last().is_some_and(|token| token.kind() == SyntaxKind::SEMICOLON)
            };
            let own = elements.iter().position(ends).map_or(elements.len(), |last| last + 1);
            let followers = elements.split_off(own);
            (elements, followers)
        }
    }

    fn created(element: &ast::Stmt, schema: &Name) -> Option<(OtherKind, QualifiedName)> {
        let (kind, path) = match element {
            ast::Stmt::CreateTable(it) => (OtherKind::Relation, it.table_name()?.path()?),
            ast::Stmt::CreateView(it) => (OtherKind::Relation, it.view()?.path()?),
            ast::Stmt::CreateSequence(it) => (OtherKind::Relation, it.sequence()?.path()?),
            ast::Stmt::CreateType(it) => (OtherKind::Type, it.type_name()?.path()?),
            ast::Stmt::CreateDomain(it) => (OtherKind::Type, it.domain()?.path()?),
            _ => return None,
        };
        Some((kind, QualifiedName::new(schema.clone(), syntax::path(&path)?.name)))
    }
}
