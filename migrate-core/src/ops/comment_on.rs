//! `comment on`.
//!
//! - **SQL**: `comment on column documents.title is 'as the author wrote it'`
//! - **Lock**: share update exclusive on the relation, or on the table of the column; access share on that of a constraint
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: the previous comment
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `COMMENT`

use crate::effects::{Effects, LockMode};
use crate::name::{DEFAULT_SCHEMA, QualifiedName, quote_literal};
use crate::operation::{Inverse, Operate, Operation};
use crate::ops::RoutineReference;
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, OtherKind, Schema};
use serde::{Deserialize, Serialize};

/// Sets or removes the comment on an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommentOn {
    /// The object.
    pub target: CommentTarget,
    /// The text; `None` removes the comment.
    pub comment: Option<String>,
    /// Once bound, whether the model has no definition of the object: a function, a column of a view, the index of a
    /// constraint, a domain. Its comment is known all the same, if the chain has set it.
    #[serde(default)]
    pub unmodelled: bool,
}

/// What a comment is on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommentTarget {
    /// Something that the model has.
    Object(ObjectKey),
    /// A materialized view: PostgreSQL wants it called that.
    MaterializedView(QualifiedName),
    /// A function or procedure without the list of its arguments; once bound, only one that nobody knows.
    Routine(RoutineReference),
    /// Anything else: `function touch()`.
    Other {
        /// As it is written between `on` and `is`.
        sql: String,
        /// The relation that it belongs to: that of a trigger or a policy.
        relation: Option<QualifiedName>,
    },
}

impl CommentTarget {
    fn key(&self) -> Option<ObjectKey> {
        match self {
            Self::Object(key) => Some(key.clone()),
            Self::MaterializedView(name) => Some(ObjectKey::View(name.clone())),
            Self::Routine(_) | Self::Other { .. } => None,
        }
    }

    /// As it is written between `on` and `is`.
    fn sql(&self) -> String {
        match self {
            Self::Object(key) => match key {
                ObjectKey::Schema(name) => format!("schema {}", name.quoted()),
                ObjectKey::Extension(name) => format!("extension {}", name.quoted()),
                ObjectKey::Table(name) => format!("table {}", name.quoted()),
                ObjectKey::Column(table, column) => format!("column {}.{}", table.quoted(), column.quoted()),
                ObjectKey::Constraint(table, name) => format!("constraint {} on {}", name.quoted(), table.quoted()),
                ObjectKey::Policy(table, name) => format!("policy {} on {}", name.quoted(), table.quoted()),
                ObjectKey::Index(name) => format!("index {}", name.quoted()),
                ObjectKey::Type(name) => format!("type {}", name.quoted()),
                ObjectKey::Sequence(name) => format!("sequence {}", name.quoted()),
                ObjectKey::View(name) => format!("view {}", name.quoted()),
                ObjectKey::Routine(signature) => format!("routine {}", signature.sql()),
                ObjectKey::Trigger(relation, name) => format!("trigger {} on {}", name.quoted(), relation.quoted()),
            },
            Self::MaterializedView(name) => format!("materialized view {}", name.quoted()),
            Self::Routine(routine) => routine.sql(),
            Self::Other { sql, .. } => sql.clone(),
        }
    }

    fn relation(&self) -> Option<&QualifiedName> {
        match self {
            Self::Object(key) => match key {
                ObjectKey::Table(name) | ObjectKey::Index(name) | ObjectKey::Sequence(name) | ObjectKey::View(name) => Some(name),
                ObjectKey::Column(table, _)
                | ObjectKey::Constraint(table, _)
                | ObjectKey::Policy(table, _)
                | ObjectKey::Trigger(table, _) => Some(table),
                ObjectKey::Schema(_) | ObjectKey::Extension(_) | ObjectKey::Type(_) | ObjectKey::Routine(_) => None,
            },
            Self::MaterializedView(name) => Some(name),
            Self::Routine(_) => None,
            Self::Other { relation, .. } => relation.as_ref(),
        }
    }
}

/// As a person says it.
impl std::fmt::Display for CommentTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Object(key @ (ObjectKey::Constraint(table, name) | ObjectKey::Policy(table, name) | ObjectKey::Trigger(table, name))) => {
                write!(f, "{} `{name}` of `{table}`", key.kind())
            }
            Self::Object(key) => write!(f, "{} `{}`", key.kind(), key.name()),
            Self::MaterializedView(name) => write!(f, "materialized view `{name}`"),
            Self::Routine(routine) => write!(f, "{} `{routine}`", routine.word()),
            Self::Other { sql, .. } => write!(f, "`{sql}`"),
        }
    }
}

impl CommentOn {
    /// What gives a recreated object the comment that it had.
    #[must_use]
    pub fn restore(object: ObjectKey, comment: Option<&String>) -> Option<Operation> {
        let comment = comment.cloned()?;
        Some(Self { target: CommentTarget::Object(object), comment: Some(comment), unmodelled: false }.into())
    }

    /// Whether the object may well be there although the model has no definition of it.
    fn is_unmodelled(&self, schema: &Schema) -> bool {
        let other = |name: &QualifiedName, kind: OtherKind| schema.others.get(name).is_some_and(|other| other.kind == kind);
        let Some(key) = self.target.key() else { return true };
        match &key {
            ObjectKey::Schema(name) => name.as_str() == DEFAULT_SCHEMA,
            ObjectKey::Extension(_) => true,
            ObjectKey::Column(table, _) => {
                schema.views.contains_key(table) || other(table, OtherKind::Relation) || other(table, OtherKind::Type)
            }
            ObjectKey::Constraint(table, _) => other(table, OtherKind::Relation),
            ObjectKey::Routine(signature) => !schema.routines.contains_key(signature),
            ObjectKey::Trigger(relation, name) => schema.trigger(relation, name).is_none() && other(relation, OtherKind::Relation),
            ObjectKey::Policy(table, name) => other(table, OtherKind::Relation) || schema.has_unmodelled_policy(table, name),
            ObjectKey::Index(name) => schema.table_of_index(name).is_none() && schema.relation_kind(name) == Some("index"),
            ObjectKey::Table(name) | ObjectKey::Sequence(name) | ObjectKey::View(name) => {
                other(name, OtherKind::Relation) || (schema.definition(&key).is_none() && schema.relation_kind(name) == Some("sequence"))
            }
            ObjectKey::Type(name) => schema.definition(&key).is_none() && schema.has_type(name),
        }
    }
}

impl Operate for CommentOn {
    fn describe(&self) -> String {
        let verb = if self.comment.is_some() { "comment on" } else { "drop the comment on" };
        format!("{verb} {}", self.target)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        match &self.target {
            CommentTarget::Object(
                ObjectKey::Column(table, _) | ObjectKey::Constraint(table, _) | ObjectKey::Policy(table, _) | ObjectKey::Trigger(table, _),
            )
            | CommentTarget::Other { relation: Some(table), .. } => vec![ObjectKey::Table(table.clone())],
            _ => Vec::new(),
        }
    }

    fn touches(&self) -> Vec<ObjectKey> {
        self.target.key().filter(|_| !self.unmodelled).into_iter().collect()
    }

    fn bind(&mut self, schema: &Schema) {
        if let CommentTarget::Routine(routine) = &mut self.target {
            routine.bind(schema);
            if let Some(key) = routine.key() {
                self.target = CommentTarget::Object(key);
            }
        }
        self.unmodelled = self.is_unmodelled(schema);
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        if let CommentTarget::Other { relation: Some(relation), .. } = &self.target {
            report.needs_relation(schema, relation);
        }
        let Some(key) = self.target.key().filter(|_| !self.is_unmodelled(schema)) else { return };
        match &key {
            ObjectKey::Schema(name) => {
                report.needs_schema(schema, name);
            }
            // a function that isn't known may be one of an extension
            ObjectKey::Extension(_) | ObjectKey::Routine(_) => {}
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
                    report.unknown(schema, &key, name.at);
                }
            }
            ObjectKey::Trigger(relation, name) => {
                if report.needs_relation(schema, relation) {
                    report.needs_trigger(schema, relation, name);
                }
            }
            ObjectKey::Policy(table, name) => {
                if report.needs_table(schema, table) {
                    report.needs_policy(schema, table, name);
                }
            }
            ObjectKey::Index(name) => {
                if schema.table_of_index(name).is_none() {
                    report.unknown(schema, &key, name.at());
                }
            }
            ObjectKey::Type(name) => {
                report.needs_type_name(schema, name);
            }
            ObjectKey::Sequence(name) => {
                report.needs_sequence(schema, name);
            }
            ObjectKey::View(name) => {
                report.needs_view(schema, name, matches!(self.target, CommentTarget::MaterializedView(_)));
            }
        }
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        match self.target.key().filter(|_| !self.unmodelled) {
            Some(key) => {
                if let Some(comment) = schema.comment_mut(&key) {
                    comment.clone_from(&self.comment);
                }
            }
            None => match &self.comment {
                Some(comment) => {
                    schema.comments.insert(self.target.sql(), comment.clone());
                }
                None => {
                    schema.comments.remove(&self.target.sql());
                }
            },
        }
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        let mode = match &self.target {
            // the lock that keeps others out is on the constraint, the trigger or the policy itself
            CommentTarget::Object(ObjectKey::Constraint(..) | ObjectKey::Policy(..) | ObjectKey::Trigger(..))
            | CommentTarget::Routine(_)
            | CommentTarget::Other { .. } => LockMode::AccessShare,
            _ => LockMode::ShareUpdateExclusive,
        };
        self.target.relation().map(|relation| Effects::lock(relation, mode)).unwrap_or_default()
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        let comment = match self.target.key().filter(|_| !self.unmodelled) {
            Some(key) => before.definition(&key).and_then(|definition| Some(definition.get("comment")?.to_string())),
            None => before.comments.get(&self.target.sql()).cloned(),
        };
        Ok(vec![Self { comment, ..self.clone() }.into()])
    }

    fn render(&self) -> Vec<String> {
        let comment = self.comment.as_ref().map_or_else(|| "null".to_owned(), |comment| quote_literal(comment));
        vec![format!("comment on {} is {comment}", self.target.sql())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::{CommentOn, CommentTarget};
    use crate::lower::{relations, syntax};
    use crate::ops::RoutineReference;
    use crate::schema::ObjectKey;
    use squawk_syntax::ast::{self, AstNode};

    impl CommentOn {
        pub(crate) fn lower(statement: &ast::CommentOn) -> Option<Self> {
            let object = statement.comment_object()?;
            let target = target(&object).unwrap_or_else(|| CommentTarget::Other {
                sql: syntax::spelt(object.syntax()),
                relation: relations::read_by(object.syntax()).next(),
            });
            // PostgreSQL takes an empty comment for none
            let comment = statement.literal().and_then(|literal| literal.string_value()).filter(|text| !text.is_empty());
            Some(Self { target, comment, unmodelled: false })
        }
    }

    fn target(object: &ast::CommentObject) -> Option<CommentTarget> {
        Some(CommentTarget::Object(match object {
            ast::CommentObject::ObjectTable(it) => ObjectKey::Table(syntax::table_ref(&it.table_name_ref()?)?),
            ast::CommentObject::ObjectColumn(it) => {
                let (table, column) = syntax::column_ref(&it.name()?)?;
                ObjectKey::Column(table, column)
            }
            ast::CommentObject::ObjectConstraint(it) => {
                let name = syntax::path_ref(&it.constraint_name_ref()?.path_ref()?)?.name;
                ObjectKey::Constraint(syntax::table_ref(&it.table_name_ref()?)?, name)
            }
            ast::CommentObject::ObjectFunction(it) => return Some(routine(RoutineReference::lower_function(&it.function_sig()?)?)),
            ast::CommentObject::ObjectProcedure(it) => return Some(routine(RoutineReference::lower_procedure(&it.procedure_sig()?)?)),
            ast::CommentObject::ObjectRoutine(it) => return Some(routine(RoutineReference::lower_routine(&it.routine_sig()?)?)),
            ast::CommentObject::ObjectTrigger(it) => {
                let relation = syntax::path_ref(&it.relation_name_ref()?.path_ref()?)?;
                ObjectKey::Trigger(relation, syntax::name(&it.trigger_ref()?))
            }
            ast::CommentObject::ObjectPolicy(it) => {
                ObjectKey::Policy(syntax::table_ref(&it.table_name_ref()?)?, syntax::name(&it.policy_ref()?))
            }
            ast::CommentObject::ObjectIndex(it) => ObjectKey::Index(syntax::path_ref(&it.index_ref()?.path_ref()?)?),
            ast::CommentObject::ObjectType(it) => ObjectKey::Type(syntax::path_ref(&it.type_name_ref()?.path_ref()?)?),
            ast::CommentObject::ObjectDomain(it) => ObjectKey::Type(syntax::path_ref(&it.domain_ref()?.path_ref()?)?),
            ast::CommentObject::ObjectSequence(it) => ObjectKey::Sequence(syntax::path_ref(&it.sequence_ref()?.path_ref()?)?),
            ast::CommentObject::ObjectView(it) => ObjectKey::View(syntax::path_ref(&it.view_ref()?.path_ref()?)?),
            ast::CommentObject::ObjectMaterializedView(it) => {
                return Some(CommentTarget::MaterializedView(syntax::path_ref(&it.view_ref()?.path_ref()?)?));
            }
            ast::CommentObject::ObjectSchema(it) => ObjectKey::Schema(syntax::name(&it.schema_ref()?)),
            _ => return None,
        }))
    }

    fn routine(reference: RoutineReference) -> CommentTarget {
        match reference.key() {
            Some(key) => CommentTarget::Object(key),
            None => CommentTarget::Routine(reference),
        }
    }
}
