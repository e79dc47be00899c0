//! `drop type`.
//!
//! - **SQL**: `drop type status`
//! - **Lock**: none; with `cascade` access exclusive on the tables that lose a column, and on what falls with it
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: `create type`, of an enum that no column falls with
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `DROP TYPE`

use crate::effects::Effects;
use crate::name::QualifiedName;
use crate::operation::{Inverse, NoInverse, Operate};
use crate::ops::{CommentOn, CreateEnum, cascade};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Drops a type. Of enums the model knows the definition, of other types the name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropType {
    /// The type.
    pub name: QualifiedName,
    /// `cascade`: the columns of this type fall with it.
    #[serde(default)]
    pub cascade: bool,
    /// `if exists`.
    #[serde(default)]
    pub if_exists: bool,
}

impl Operate for DropType {
    fn describe(&self) -> String {
        format!("drop type `{}`", self.name)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        Vec::new()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Enum(self.name.clone())]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        if !schema.has_type(&self.name) {
            if !self.if_exists {
                report.needs_type_name(schema, &self.name);
            }
            return;
        }
        if let Some(kind) = schema.relation_kind(&self.name).filter(|_| schema.tables.contains_key(&self.name)) {
            report.problem(self.name.at(), format!("`{}` is the row type of a {kind}", self.name)).help =
                Some(format!("write `drop table {}`", self.name));
            return;
        }
        let columns = schema.columns_of_type(&self.name);
        if let Some(((table, column), further)) = columns.split_first().filter(|_| !self.cascade) {
            let problem = report.problem(self.name.at(), format!("type `{}` is used by column `{table}.{column}`", self.name));
            problem.notes.extend(further.iter().map(|(table, column)| format!("also used by column `{table}.{column}`")));
            problem.help = Some("drop the column or change its type first, or write `cascade` to drop the column, too".to_owned());
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        cascade::apply(&cascade::of_type(schema, &self.name), schema, origin);
        let known = schema.enums.remove(&self.name).is_some() | schema.others.remove(&self.name).is_some();
        if known {
            schema.record_departure(ObjectKey::Enum(self.name.clone()), None, origin);
        }
    }

    fn effects(&self, schema: &Schema) -> Effects {
        let columns = schema.columns_of_type(&self.name);
        let own = Effects { breaks_readers: true, loses_data: !columns.is_empty(), ..Effects::default() };
        cascade::and_locks(own, &cascade::of_type(schema, &self.name), schema)
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        let Some(enum_type) = before.enums.get(&self.name) else {
            return Err(NoInverse::because(format!("nothing is known of the definition of type `{}`", self.name)));
        };
        if let Some((table, column)) = before.columns_of_type(&self.name).first() {
            return Err(NoInverse::because(format!("column `{table}.{column}` falls with the type")));
        }
        let key = ObjectKey::Enum(self.name.clone());
        let comment = CommentOn::restore(key, enum_type.comment.as_ref());
        Ok(std::iter::once(CreateEnum::of(&self.name, enum_type).into()).chain(comment).collect())
    }

    fn render(&self) -> Vec<String> {
        vec![format!("drop type {}{}", self.name.quoted(), if self.cascade { " cascade" } else { "" })]
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
                Some(Self { name, cascade, if_exists }.into())
            };
            statement.type_name_refs().map(operation).collect()
        }
    }
}
