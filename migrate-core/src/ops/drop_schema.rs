//! `drop schema`.
//!
//! - **SQL**: `drop schema reporting`
//! - **Lock**: with `cascade` access exclusive on every table in it
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: `create schema`, where it is empty
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `DROP SCHEMA`

use super::access;
use crate::effects::Effects;
use crate::name::{DEFAULT_SCHEMA, Name, QualifiedName};
use crate::operation::{Inverse, NoInverse, Operate, Operation};
use crate::ops::{CommentOn, CreateSchema, DropRoutine, DropSequence, DropTable, DropType, DropView, RoutineReference};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Drops a schema (namespace).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropSchema {
    /// The schema.
    pub name: Name,
    /// `cascade`: everything in it falls with it.
    #[serde(default)]
    pub cascade: bool,
    /// `if exists`.
    #[serde(default)]
    pub if_exists: bool,
}

impl DropSchema {
    /// What is in it, as operations that drop it.
    fn contents(&self, schema: &Schema) -> Vec<Operation> {
        fn names<'a, V>(map: &'a crate::schema::Map<QualifiedName, V>, schema: &'a Name) -> impl Iterator<Item = &'a QualifiedName> {
            map.keys().filter(move |name| name.schema == *schema)
        }
        let (cascade, if_exists) = (true, true);
        let views = schema
            .views
            .iter()
            .filter(|(name, _)| name.schema == self.name)
            .map(|(name, view)| DropView { name: name.clone(), materialized: view.materialized, cascade, if_exists }.into());
        let tables = names(&schema.tables, &self.name).map(|name| DropTable { cascade, if_exists, ..DropTable::new(name.clone()) }.into());
        let sequences = names(&schema.sequences, &self.name).map(|name| DropSequence { name: name.clone(), cascade, if_exists }.into());
        let domains = names(&schema.domains, &self.name);
        let domains = domains.map(|name| DropType { cascade, if_exists, domain: true, ..DropType::new(name.clone()) }.into());
        let types = names(&schema.enums, &self.name).chain(names(&schema.composites, &self.name)).chain(names(&schema.others, &self.name));
        let types = types.map(|name| DropType { cascade, if_exists, ..DropType::new(name.clone()) }.into());
        let routines =
            schema.routines.iter().filter(|(signature, _)| signature.name.schema == self.name).map(|(signature, routine)| {
                DropRoutine { routine: RoutineReference::to(routine.kind, signature), cascade, if_exists }.into()
            });
        views.chain(tables).chain(routines).chain(sequences).chain(domains).chain(types).collect()
    }
}

impl Operate for DropSchema {
    fn describe(&self) -> String {
        format!("drop schema `{}`", self.name)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        Vec::new()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        if self.name.as_str() == DEFAULT_SCHEMA { Vec::new() } else { vec![ObjectKey::Schema(self.name.clone())] }
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        if self.if_exists && !schema.schemas.contains_key(&self.name) {
            return;
        }
        if !report.needs_schema(schema, &self.name) || self.cascade {
            return;
        }
        let contents = self.contents(schema);
        if let Some(first) = contents.first() {
            let problem = report.problem(self.name.at, format!("schema `{}` is not empty", self.name));
            problem.notes.extend(
                contents.iter().flat_map(Operation::touches).take(5).map(|key| format!("{} `{}` is in it", key.kind(), key.name())),
            );
            problem.help = Some(format!("{} first, or write `cascade` to drop everything in it", first.describe()));
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        for operation in self.contents(schema) {
            operation.apply(schema, origin);
        }
        if schema.schemas.remove(&self.name).is_some() {
            schema.record_departure(ObjectKey::Schema(self.name.clone()), None, origin);
        }
    }

    fn effects(&self, schema: &Schema) -> Effects {
        let contents = self.contents(schema);
        let own = Effects { breaks_readers: !contents.is_empty(), ..Effects::default() };
        contents.iter().map(|operation| operation.effects(schema)).fold(own, |mut effects, of_content| {
            effects.loses_data |= of_content.loses_data;
            of_content.locks.iter().fold(effects, |effects, (table, mode)| effects.and_lock(table, *mode))
        })
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        let Some(named) = before.schemas.get(&self.name) else {
            return Err(NoInverse::because(format!("nothing is known of schema `{}`", self.name)));
        };
        if !self.contents(before).is_empty() {
            return Err(NoInverse::because("everything in the schema falls with it"));
        }
        let comment = CommentOn::restore(ObjectKey::Schema(self.name.clone()), named.comment.as_ref());
        let access = access::restore(&ObjectKey::Schema(self.name.clone()), &named.access);
        Ok(std::iter::once(CreateSchema::empty(&self.name).into()).chain(comment).chain(access).collect())
    }

    fn render(&self) -> Vec<String> {
        vec![format!("drop schema {}{}", self.name.quoted(), if self.cascade { " cascade" } else { "" })]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::DropSchema;
    use crate::lower::syntax;
    use crate::operation::Operation;
    use squawk_syntax::ast;

    impl DropSchema {
        /// One operation a schema.
        pub(crate) fn lower(statement: &ast::DropSchema) -> Vec<Operation> {
            let cascade = matches!(statement.drop_behavior(), Some(ast::DropBehavior::Cascade(_)));
            let if_exists = statement.if_exists().is_some();
            statement.schema_refs().map(|name| Self { name: syntax::name(&name), cascade, if_exists }.into()).collect()
        }
    }
}
