//! `alter type … add value`.
//!
//! - **SQL**: `alter type status add value 'archived' after 'published'`
//! - **Lock**: none
//! - **Rewrites**: nothing
//! - **Transaction**: inside, but the value can't be used before the commit (SQLSTATE 55P04)
//! - **Undo**: none; PostgreSQL can't remove a value
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER TYPE`

use crate::effects::{Effects, TransactionNeed};
use crate::name::{Name, QualifiedName, quote_literal};
use crate::operation::{Inverse, NoInverse, Operate};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Adds a value to an enum type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddEnumValue {
    /// The type.
    pub name: QualifiedName,
    /// The new label.
    pub label: Name,
    /// Where it goes; at the end where nothing is said.
    #[serde(default)]
    pub position: Option<ValuePosition>,
    /// `if not exists`.
    #[serde(default)]
    pub if_not_exists: bool,
}

/// Where a new value goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValuePosition {
    /// `before` a label that is there.
    Before(Name),
    /// `after` a label that is there.
    After(Name),
}

impl AddEnumValue {
    fn is_there(&self, schema: &Schema) -> bool {
        schema.enums.get(&self.name).is_some_and(|enum_type| enum_type.labels.iter().any(|label| *label == self.label.as_str()))
    }
}

impl Operate for AddEnumValue {
    fn describe(&self) -> String {
        format!("add value `{}` to type `{}`", self.label, self.name)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        Vec::new()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Type(self.name.clone())]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        report.check_label(&self.label);
        if !report.needs_enum(schema, &self.name) {
            return;
        }
        if self.is_there(schema) && !self.if_not_exists {
            report.label_exists(&self.name, &self.label);
        }
        if let Some(ValuePosition::Before(neighbour) | ValuePosition::After(neighbour)) = &self.position {
            report.needs_label(schema, &self.name, neighbour);
        }
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        if self.is_there(schema) {
            return;
        }
        let Some(enum_type) = schema.enums.get_mut(&self.name) else { return };
        let labels = &mut enum_type.labels;
        let place = |neighbour: &Name| labels.iter().position(|label| *label == neighbour.as_str());
        let place = match &self.position {
            Some(ValuePosition::Before(neighbour)) => place(neighbour),
            Some(ValuePosition::After(neighbour)) => place(neighbour).map(|place| place + 1),
            None => None,
        };
        labels.insert(place.unwrap_or(labels.len()), self.label.as_str().to_owned());
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects { transaction: TransactionNeed::CommitBeforeUse, ..Effects::default() }
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        if self.is_there(before) {
            return Ok(Vec::new());
        }
        Err(NoInverse::because(format!(
            "PostgreSQL can't remove a value of an enum; create a type without `{}` and move the columns of type `{}` to it",
            self.label, self.name
        )))
    }

    fn render(&self) -> Vec<String> {
        let position = match &self.position {
            Some(ValuePosition::Before(neighbour)) => format!(" before {}", quote_literal(neighbour.as_str())),
            Some(ValuePosition::After(neighbour)) => format!(" after {}", quote_literal(neighbour.as_str())),
            None => String::new(),
        };
        vec![format!("alter type {} add value {}{position}", self.name.quoted(), quote_literal(self.label.as_str()))]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::{AddEnumValue, ValuePosition};
    use crate::lower::syntax;
    use crate::name::QualifiedName;
    use squawk_syntax::ast;

    impl AddEnumValue {
        pub(crate) fn lower(name: &QualifiedName, action: &ast::AddValue) -> Option<Self> {
            let position = match action.value_position() {
                Some(ast::ValuePosition::BeforeValue(it)) => Some(ValuePosition::Before(syntax::label(&it.literal()?)?)),
                Some(ast::ValuePosition::AfterValue(it)) => Some(ValuePosition::After(syntax::label(&it.literal()?)?)),
                None => None,
            };
            let label = syntax::label(&action.literal()?)?;
            Some(Self { name: name.clone(), label, position, if_not_exists: action.if_not_exists().is_some() })
        }
    }
}
