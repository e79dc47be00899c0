//! `comment on`.
//!
//! - **SQL**: `comment on column documents.title is 'as the author wrote it'`
//! - **Lock**: share update exclusive on the relation, or on the table of the column or constraint
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: the previous comment
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `COMMENT`

use crate::effects::{Effects, LockMode};
use crate::name::{DEFAULT_SCHEMA, QualifiedName, quote_literal};
use crate::operation::{Inverse, NoInverse, Operate, Operation};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, OtherKind, Schema};
use serde::{Deserialize, Serialize};

/// Sets or removes the comment on an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommentOn {
    /// The object.
    pub object: ObjectKey,
    /// `materialized view`, where that is what PostgreSQL calls the view.
    #[serde(default)]
    pub materialized: bool,
    /// The text; `None` removes the comment.
    pub comment: Option<String>,
    /// Once bound, whether the model knows of the object but has no definition of it: a column of a view, the index of a
    /// constraint, a domain.
    #[serde(default)]
    pub unmodelled: bool,
}

impl CommentOn {
    /// What gives a recreated object the comment that it had.
    #[must_use]
    pub fn restore(object: ObjectKey, comment: Option<&String>) -> Option<Operation> {
        let comment = comment.cloned()?;
        Some(Self { object, materialized: false, comment: Some(comment), unmodelled: false }.into())
    }

    fn relation(&self) -> Option<&QualifiedName> {
        match &self.object {
            ObjectKey::Table(name) | ObjectKey::Index(name) | ObjectKey::Sequence(name) | ObjectKey::View(name) => Some(name),
            ObjectKey::Column(table, _) | ObjectKey::Constraint(table, _) => Some(table),
            ObjectKey::Schema(_) | ObjectKey::Extension(_) | ObjectKey::Enum(_) => None,
        }
    }

    /// Whether the object may well be there although the model has no definition of it.
    fn is_unmodelled(&self, schema: &Schema) -> bool {
        let other = |name: &QualifiedName, kind: OtherKind| schema.others.get(name).is_some_and(|other| other.kind == kind);
        match &self.object {
            ObjectKey::Schema(name) => name.as_str() == DEFAULT_SCHEMA,
            ObjectKey::Extension(_) => true,
            ObjectKey::Column(table, column) => {
                let without_columns = |table: &crate::schema::Table| {
                    table.column(column.as_str()).is_none() && table.columns.is_empty() && !table.options.is_empty()
                };
                schema.views.contains_key(table)
                    || other(table, OtherKind::Relation)
                    || other(table, OtherKind::Type)
                    || schema.table(table).is_some_and(without_columns)
            }
            ObjectKey::Constraint(table, _) => other(table, OtherKind::Relation),
            ObjectKey::Index(name) => schema.table_of_index(name).is_none() && schema.relation_kind(name) == Some("index"),
            ObjectKey::Table(name) | ObjectKey::Sequence(name) | ObjectKey::View(name) => {
                other(name, OtherKind::Relation)
                    || (schema.definition(&self.object).is_none() && schema.relation_kind(name) == Some("sequence"))
            }
            ObjectKey::Enum(name) => !schema.enums.contains_key(name) && schema.has_type(name),
        }
    }
}

impl Operate for CommentOn {
    fn describe(&self) -> String {
        let verb = if self.comment.is_some() { "comment on" } else { "drop the comment on" };
        format!("{verb} {} `{}`", self.object.kind(), self.object.name())
    }

    fn requires(&self) -> Vec<ObjectKey> {
        match &self.object {
            ObjectKey::Column(table, _) | ObjectKey::Constraint(table, _) => vec![ObjectKey::Table(table.clone())],
            _ => Vec::new(),
        }
    }

    fn touches(&self) -> Vec<ObjectKey> {
        if self.unmodelled { Vec::new() } else { vec![self.object.clone()] }
    }

    fn bind(&mut self, schema: &Schema) {
        self.unmodelled = self.is_unmodelled(schema);
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        if self.is_unmodelled(schema) {
            return;
        }
        match &self.object {
            ObjectKey::Schema(name) => {
                report.needs_schema(schema, name);
            }
            ObjectKey::Extension(_) => {}
            ObjectKey::Table(name) => {
                report.needs_table(schema, name);
            }
            ObjectKey::Column(table, column) => {
                if report.needs_table(schema, table) {
                    report.needs_column(schema, table, column);
                }
            }
            ObjectKey::Constraint(table, name) => {
                if report.needs_table(schema, table) && !schema.tables.get(table).is_some_and(|table| table.constraints.contains_key(name))
                {
                    report.unknown(schema, &self.object, name.at);
                }
            }
            ObjectKey::Index(name) => {
                if schema.table_of_index(name).is_none() {
                    report.unknown(schema, &self.object, name.at());
                }
            }
            ObjectKey::Enum(name) => {
                report.needs_type_name(schema, name);
            }
            ObjectKey::Sequence(name) => {
                report.needs_sequence(schema, name);
            }
            ObjectKey::View(name) => {
                report.needs_view(schema, name, self.materialized);
            }
        }
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        if let Some(comment) = schema.comment_mut(&self.object) {
            comment.clone_from(&self.comment);
        }
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        self.relation().map(|relation| Effects::lock(relation, LockMode::ShareUpdateExclusive)).unwrap_or_default()
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        if self.unmodelled {
            let name = self.object.name();
            return Err(NoInverse::because(format!("nothing is known of the previous comment on {} `{name}`", self.object.kind())));
        }
        let before = before.definition(&self.object);
        let comment = before.as_ref().and_then(|definition| definition.get("comment")).map(ToString::to_string);
        Ok(vec![Self { comment, ..self.clone() }.into()])
    }

    fn render(&self) -> Vec<String> {
        let object = match &self.object {
            ObjectKey::Schema(name) => format!("schema {}", name.quoted()),
            ObjectKey::Extension(name) => format!("extension {}", name.quoted()),
            ObjectKey::Table(name) => format!("table {}", name.quoted()),
            ObjectKey::Column(table, column) => format!("column {}.{}", table.quoted(), column.quoted()),
            ObjectKey::Constraint(table, name) => format!("constraint {} on {}", name.quoted(), table.quoted()),
            ObjectKey::Index(name) => format!("index {}", name.quoted()),
            ObjectKey::Enum(name) => format!("type {}", name.quoted()),
            ObjectKey::Sequence(name) => format!("sequence {}", name.quoted()),
            ObjectKey::View(name) => format!("{}view {}", if self.materialized { "materialized " } else { "" }, name.quoted()),
        };
        let comment = self.comment.as_ref().map_or_else(|| "null".to_owned(), |comment| quote_literal(comment));
        vec![format!("comment on {object} is {comment}")]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::CommentOn;
    use crate::lower::syntax;
    use crate::schema::ObjectKey;
    use squawk_syntax::ast;

    impl CommentOn {
        /// `None` for what the model doesn't know: functions, triggers, policies, …
        pub(crate) fn lower(statement: &ast::CommentOn) -> Option<Self> {
            let mut materialized = false;
            let object = match statement.comment_object()? {
                ast::CommentObject::ObjectTable(it) => ObjectKey::Table(syntax::table_ref(&it.table_name_ref()?)?),
                ast::CommentObject::ObjectColumn(it) => {
                    let (table, column) = syntax::column_ref(&it.name()?)?;
                    ObjectKey::Column(table, column)
                }
                ast::CommentObject::ObjectConstraint(it) => {
                    let name = syntax::path_ref(&it.constraint_name_ref()?.path_ref()?)?.name;
                    ObjectKey::Constraint(syntax::table_ref(&it.table_name_ref()?)?, name)
                }
                ast::CommentObject::ObjectIndex(it) => ObjectKey::Index(syntax::path_ref(&it.index_ref()?.path_ref()?)?),
                ast::CommentObject::ObjectType(it) => ObjectKey::Enum(syntax::path_ref(&it.type_name_ref()?.path_ref()?)?),
                ast::CommentObject::ObjectSequence(it) => ObjectKey::Sequence(syntax::path_ref(&it.sequence_ref()?.path_ref()?)?),
                ast::CommentObject::ObjectView(it) => ObjectKey::View(syntax::path_ref(&it.view_ref()?.path_ref()?)?),
                ast::CommentObject::ObjectMaterializedView(it) => {
                    materialized = true;
                    ObjectKey::View(syntax::path_ref(&it.view_ref()?.path_ref()?)?)
                }
                ast::CommentObject::ObjectSchema(it) => ObjectKey::Schema(syntax::name(&it.schema_ref()?)),
                _ => return None,
            };
            let comment = match statement.literal() {
                // PostgreSQL takes an empty comment for none
                Some(literal) => literal.string_value().filter(|text| !text.is_empty()),
                None => None,
            };
            Some(Self { object, materialized, comment, unmodelled: false })
        }
    }
}
