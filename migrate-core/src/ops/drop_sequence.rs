//! `drop sequence`.
//!
//! - **SQL**: `drop sequence invoice_numbers`
//! - **Lock**: access exclusive on the sequence, with `cascade` also on the tables that lose a default
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: `create sequence`, where no default falls with it; its current value is lost
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `DROP SEQUENCE`

use super::access;
use crate::effects::{Effects, LockMode};
use crate::name::QualifiedName;
use crate::operation::{Inverse, NoInverse, Operate};
use crate::ops::{CommentOn, CreateSequence};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Drops a sequence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropSequence {
    /// The sequence.
    pub name: QualifiedName,
    /// `cascade`: the defaults that use it fall with it.
    #[serde(default)]
    pub cascade: bool,
    /// `if exists`.
    #[serde(default)]
    pub if_exists: bool,
}

impl Operate for DropSequence {
    fn describe(&self) -> String {
        format!("drop sequence `{}`", self.name)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        Vec::new()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Sequence(self.name.clone())]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        if self.if_exists && schema.relation_kind(&self.name).is_none() {
            return;
        }
        if !report.needs_sequence(schema, &self.name) || self.cascade {
            return;
        }
        if let Some((table, column)) = schema.columns_fed_by(&self.name).first() {
            report.problem(self.name.at(), format!("the default of column `{table}.{column}` uses sequence `{}`", self.name)).help =
                Some("drop the default first, or write `cascade` to drop it, too".to_owned());
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        if schema.sequences.remove(&self.name).is_none() {
            schema.others.remove(&self.name);
            return;
        }
        for (table, column) in schema.columns_fed_by(&self.name) {
            if let Some(column) = schema.tables.get_mut(&table).and_then(|table| table.column_mut(column.as_str())) {
                column.default = None;
            }
        }
        schema.record_departure(ObjectKey::Sequence(self.name.clone()), None, origin);
    }

    fn effects(&self, schema: &Schema) -> Effects {
        let own = Effects { breaks_readers: true, loses_data: true, ..Effects::lock(&self.name, LockMode::AccessExclusive) };
        schema.columns_fed_by(&self.name).iter().fold(own, |effects, (table, _)| effects.and_lock(table, LockMode::AccessExclusive))
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        let Some(sequence) = before.sequences.get(&self.name) else {
            return Err(NoInverse::because(format!("nothing is known of sequence `{}`", self.name)));
        };
        if let Some((table, column)) = before.columns_fed_by(&self.name).first() {
            return Err(NoInverse::because(format!("the default of column `{table}.{column}` falls with the sequence")));
        }
        let comment = CommentOn::restore(ObjectKey::Sequence(self.name.clone()), sequence.comment.as_ref());
        let access = access::restore(&ObjectKey::Sequence(self.name.clone()), &sequence.access);
        Ok(std::iter::once(CreateSequence::of(&self.name, sequence).into()).chain(comment).chain(access).collect())
    }

    fn render(&self) -> Vec<String> {
        vec![format!("drop sequence {}{}", self.name.quoted(), if self.cascade { " cascade" } else { "" })]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::DropSequence;
    use crate::lower::syntax;
    use crate::operation::Operation;
    use squawk_syntax::ast;

    impl DropSequence {
        /// One operation a sequence.
        pub(crate) fn lower(statement: &ast::DropSequence) -> Option<Vec<Operation>> {
            let cascade = matches!(statement.drop_behavior(), Some(ast::DropBehavior::Cascade(_)));
            let if_exists = statement.if_exists().is_some();
            let operation = |name: ast::SequenceRef| Some(Self { name: syntax::path_ref(&name.path_ref()?)?, cascade, if_exists }.into());
            statement.sequence_refs().map(operation).collect()
        }
    }
}
