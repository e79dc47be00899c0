//! `create sequence`.
//!
//! - **SQL**: `create sequence invoice_numbers as integer start with 1000 owned by invoices.number`
//! - **Lock**: access share on the table of the owning column
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: `drop sequence`
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `CREATE SEQUENCE`

use crate::effects::{Effects, LockMode};
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, Operate};
use crate::ops::DropSequence;
use crate::render;
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema, Sequence, SequenceOptions};
use serde::{Deserialize, Serialize};

/// Creates a sequence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateSequence {
    /// The sequence.
    pub name: QualifiedName,
    /// Its options, where they differ from PostgreSQL's defaults.
    #[serde(default)]
    pub options: SequenceOptions,
    /// `owned by table.column`.
    #[serde(default)]
    pub owned_by: Option<(QualifiedName, Name)>,
    /// `if not exists`.
    #[serde(default)]
    pub if_not_exists: bool,
}

impl CreateSequence {
    /// What creates `sequence` as it is, its comment not included.
    #[must_use]
    pub fn of(name: &QualifiedName, sequence: &Sequence) -> Self {
        let Sequence { options, owned_by, .. } = sequence.clone();
        Self { name: name.clone(), options, owned_by, if_not_exists: false }
    }
}

/// Reports a column that can't own the sequence.
pub(super) fn check_owner(schema: &Schema, sequence: &QualifiedName, owner: &(QualifiedName, Name), report: &mut Report) {
    let (table, column) = owner;
    if report.needs_table(schema, table) {
        report.needs_column(schema, table, column);
    }
    if table.schema != sequence.schema {
        let message = format!("sequence `{sequence}` is in schema `{}`, table `{table}` in schema `{}`", sequence.schema, table.schema);
        report.problem(table.at(), message).help = Some("put the sequence into the schema of the table that owns it".to_owned());
    }
}

impl Operate for CreateSequence {
    fn describe(&self) -> String {
        format!("create sequence `{}`", self.name)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        let owner = self.owned_by.iter().map(|(table, column)| ObjectKey::Column(table.clone(), column.clone()));
        super::schema_of(&self.name).into_iter().chain(owner).collect()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Sequence(self.name.clone())]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        let key = ObjectKey::Sequence(self.name.clone());
        if self.if_not_exists && schema.sequences.contains_key(&self.name) {
            return;
        }
        report.relation_is_free(schema, &key, &self.name);
        if let Some(owner) = &self.owned_by {
            check_owner(schema, &self.name, owner, report);
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        if self.if_not_exists && schema.sequences.contains_key(&self.name) {
            return;
        }
        let options = self.options.without_defaults();
        let sequence = Sequence { options, owned_by: self.owned_by.clone(), origin: origin.clone(), ..Sequence::default() };
        schema.sequences.insert(self.name.clone(), sequence);
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        let owner = self.owned_by.iter();
        owner.fold(Effects::default(), |effects, (table, _)| effects.and_lock(table, LockMode::AccessShare))
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        if before.sequences.contains_key(&self.name) {
            return Ok(Vec::new());
        }
        Ok(vec![DropSequence { name: self.name.clone(), cascade: false, if_exists: false }.into()])
    }

    fn render(&self) -> Vec<String> {
        let owned_by = self.owned_by.iter().map(|(table, column)| format!(" owned by {}.{}", table.quoted(), column.quoted()));
        vec![format!("create sequence {}{}{}", self.name.quoted(), render::sequence_options(&self.options), owned_by.collect::<String>())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::CreateSequence;
    use crate::lower::{columns, syntax};
    use crate::schema::SequenceOptions;
    use squawk_syntax::ast;

    impl CreateSequence {
        /// `None` for temporary and unlogged ones.
        pub(crate) fn lower(statement: &ast::CreateSequence) -> Option<Self> {
            if statement.persistence().is_some() {
                return None;
            }
            let name = syntax::path(&statement.sequence()?.path()?)?;
            let (mut options, mut owned_by) = (SequenceOptions::default(), None);
            for option in statement.sequence_options() {
                match &option {
                    ast::SequenceOption::OptionOwnedBy(it) => {
                        owned_by = match it.owned_by_target()? {
                            ast::OwnedByTarget::OwnedByNone(_) => None,
                            ast::OwnedByTarget::QualifiedColumnNameRef(it) => Some(syntax::column_ref(&it)?),
                        }
                    }
                    option => columns::sequence_option(&mut options, option)?,
                }
            }
            Some(Self { name, options: options.without_defaults(), owned_by, if_not_exists: statement.if_not_exists().is_some() })
        }
    }
}
