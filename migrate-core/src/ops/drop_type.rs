//! `drop type`, `drop domain`.
//!
//! - **SQL**: `drop type status`
//! - **Lock**: none; with `cascade` access exclusive on the tables that lose a column, and on what falls with it
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: `create type` or `create domain`, and what fell by `cascade`; the values of columns are lost
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `DROP TYPE`, `DROP DOMAIN`

use super::{access, cascade, create_composite, create_domain, rename_type};
use crate::effects::Effects;
use crate::name::QualifiedName;
use crate::operation::{Inverse, NoInverse, Operate, Operation};
use crate::ops::{CommentOn, CreateEnum};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema, TypeUser};
use serde::{Deserialize, Serialize};

/// Drops a type. Of range and base types the model knows the name only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropType {
    /// The type.
    pub name: QualifiedName,
    /// `cascade`: what is made of it falls with it, columns among them.
    #[serde(default)]
    pub cascade: bool,
    /// `if exists`.
    #[serde(default)]
    pub if_exists: bool,
    /// `drop domain`.
    #[serde(default)]
    pub domain: bool,
}

impl DropType {
    /// Drops the type of this name.
    #[must_use]
    pub fn new(name: QualifiedName) -> Self {
        Self { name, cascade: false, if_exists: false, domain: false }
    }

    /// What `cascade` drops before the type.
    fn before_it(&self, schema: &Schema) -> Vec<Operation> {
        if self.cascade { cascade::of_type(schema, &self.name) } else { Vec::new() }
    }

    /// What creates the type again when nothing fell with it.
    fn create_again(&self, before: &Schema) -> Inverse {
        if let Some(domain) = before.domains.get(&self.name) {
            return Ok(create_domain::recreate(&self.name, domain));
        }
        if let Some(composite) = before.composites.get(&self.name) {
            return Ok(create_composite::recreate(&self.name, composite));
        }
        if let Some(enum_type) = before.enums.get(&self.name) {
            let comment = CommentOn::restore(ObjectKey::Type(self.name.clone()), enum_type.comment.as_ref());
            let access = access::restore(&ObjectKey::Type(self.name.clone()), &enum_type.access);
            return Ok(std::iter::once(CreateEnum::of(&self.name, enum_type).into()).chain(comment).chain(access).collect());
        }
        if self.if_exists && !before.has_type(&self.name) {
            return Ok(Vec::new());
        }
        Err(NoInverse::because(format!("nothing is known of the definition of type `{}`", self.name)))
    }

    fn check_users(&self, schema: &Schema, report: &mut Report) {
        let columns = schema.columns_of_type(&self.name).into_iter().map(|(table, column)| format!("column `{table}.{column}`"));
        let others = schema.type_users(&self.name).into_iter().map(|user| match user {
            TypeUser::Domain(name) => format!("domain `{name}`"),
            TypeUser::Attribute(name, attribute) => format!("attribute `{attribute}` of type `{name}`"),
        });
        let users: Vec<_> = columns.chain(others).collect();
        let Some((first, further)) = users.split_first() else { return };
        let kind = rename_type::kind(self.domain);
        let problem = report.problem(self.name.at(), format!("{kind} `{}` is used by {first}", self.name));
        problem.notes.extend(further.iter().map(|user| format!("also used by {user}")));
        let help = match first.split_once(' ') {
            Some(("column", _)) => "drop the column or change its type first, or write `cascade` to drop the column, too".to_owned(),
            _ => format!("drop {first} first, or write `cascade` to drop it, too"),
        };
        problem.help = Some(help);
    }
}

impl Operate for DropType {
    fn describe(&self) -> String {
        format!("drop {} `{}`", rename_type::kind(self.domain), self.name)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        Vec::new()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Type(self.name.clone())]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        if !schema.has_type(&self.name) {
            if !self.if_exists {
                rename_type::needs(schema, &self.name, self.domain, report);
            }
            return;
        }
        if let Some(kind) = schema.relation_kind(&self.name).filter(|_| schema.tables.contains_key(&self.name)) {
            report.problem(self.name.at(), format!("`{}` is the row type of a {kind}", self.name)).help =
                Some(format!("write `drop table {}`", self.name));
            return;
        }
        if rename_type::needs(schema, &self.name, self.domain, report) && !self.cascade {
            self.check_users(schema, report);
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        cascade::apply(&self.before_it(schema), schema, origin);
        let known = schema.enums.remove(&self.name).is_some()
            | schema.domains.remove(&self.name).is_some()
            | schema.composites.remove(&self.name).is_some()
            | (schema.is_known_by_name(&ObjectKey::Type(self.name.clone())) && schema.others.remove(&self.name).is_some());
        if known {
            schema.record_departure(ObjectKey::Type(self.name.clone()), None, origin);
        }
    }

    fn effects(&self, schema: &Schema) -> Effects {
        let drops = self.before_it(schema);
        let loses_data = drops.iter().any(|drop| drop.effects(schema).loses_data);
        cascade::and_locks(Effects { breaks_readers: true, loses_data, ..Effects::default() }, &drops, schema)
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        cascade::undo(&self.before_it(before), before, |schema| self.create_again(schema))
    }

    fn render(&self) -> Vec<String> {
        let cascade = if self.cascade { " cascade" } else { "" };
        vec![format!("drop {} {}{cascade}", rename_type::kind(self.domain), self.name.quoted())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::DropType;
    use crate::lower::syntax;
    use crate::operation::Operation;
    use squawk_syntax::ast;

    impl DropType {
        /// One operation a type.
        pub(crate) fn lower(statement: &ast::DropType) -> Option<Vec<Operation>> {
            let cascade = matches!(statement.drop_behavior(), Some(ast::DropBehavior::Cascade(_)));
            let if_exists = statement.if_exists().is_some();
            let operation = |name: ast::TypeNameRef| {
                let name = syntax::path_ref(&name.path_ref()?)?;
                Some(Self { name, cascade, if_exists, domain: false }.into())
            };
            statement.type_name_refs().map(operation).collect()
        }

        /// One operation a domain.
        pub(crate) fn lower_domain(statement: &ast::DropDomain) -> Option<Vec<Operation>> {
            let cascade = matches!(statement.drop_behavior(), Some(ast::DropBehavior::Cascade(_)));
            let if_exists = statement.if_exists().is_some();
            let operation = |name: ast::DomainRef| {
                let name = syntax::path_ref(&name.path_ref()?)?;
                Some(Self { name, cascade, if_exists, domain: true }.into())
            };
            statement.domain_refs().map(operation).collect()
        }
    }
}
