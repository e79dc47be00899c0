//! Everything in a schema that isn't a table.

use super::{Access, Index, Origin, SequenceOptions, Unmodelled};
use crate::expression::Expression;
use crate::name::{Name, QualifiedName};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A schema (namespace).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedSchema {
    /// The text of `comment on schema`.
    #[serde(default)]
    pub comment: Option<String>,
    /// Who owns it, and who may do what with it.
    #[serde(default, skip_serializing_if = "Access::is_empty")]
    pub access: Access,
}

/// An installed extension.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    /// The schema that it was put in, where one was named.
    #[serde(default)]
    pub schema: Option<Name>,
    /// The version, where one was named.
    #[serde(default)]
    pub version: Option<String>,
}

/// An enum type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnumType {
    /// The labels in their order.
    pub labels: Vec<String>,
    /// The text of `comment on type`.
    #[serde(default)]
    pub comment: Option<String>,
    /// Who owns it, and who may do what with it.
    #[serde(default, skip_serializing_if = "Access::is_empty")]
    pub access: Access,
    /// Who created it.
    #[serde(default)]
    pub origin: Origin,
}

/// A sequence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sequence {
    /// Its options.
    #[serde(default)]
    pub options: SequenceOptions,
    /// `owned by table.column`: dropped with it.
    #[serde(default)]
    pub owned_by: Option<(QualifiedName, Name)>,
    /// The text of `comment on sequence`.
    #[serde(default)]
    pub comment: Option<String>,
    /// Who owns it, and who may do what with it.
    #[serde(default, skip_serializing_if = "Access::is_empty")]
    pub access: Access,
    /// Who created it.
    #[serde(default)]
    pub origin: Origin,
}

/// A view.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// `materialized`.
    #[serde(default)]
    pub materialized: bool,
    /// The column list, where one was written.
    #[serde(default)]
    pub columns: Vec<Name>,
    /// What its columns are called in the end, where the text tells: `*` doesn't.
    #[serde(default)]
    pub output: Option<Vec<Name>>,
    /// What its author wrote, where it was just parsed.
    #[serde(skip)]
    pub written: AsWritten,
    /// What is between the name and `as`: `using heap`, `with (security_invoker = true)`. A check option is one of those.
    #[serde(default)]
    pub options: String,
    /// The query.
    pub query: Expression,
    /// The tables and views that the query reads itself.
    #[serde(default)]
    pub relations: Vec<QualifiedName>,
    /// The text of `comment on view`.
    #[serde(default)]
    pub comment: Option<String>,
    /// Who owns it, and who may do what with it.
    #[serde(default, skip_serializing_if = "Access::is_empty")]
    pub access: Access,
    /// Indexes by name; only a materialized view has any.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub indexes: IndexMap<Name, Index>,
    /// What statements that the model has no operation for left on it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unmodelled: BTreeSet<Unmodelled>,
    /// Who created it.
    #[serde(default)]
    pub origin: Origin,
}

/// A query as its author wrote it, before `*` became columns. Only for messages, so it makes no difference between views.
#[derive(Clone, Debug, Default)]
pub struct AsWritten {
    /// The names of the results, `*` among them, each where it stands.
    pub results: Vec<Name>,
    /// The query, where it isn't the one of the view any more.
    pub query: Option<Expression>,
}

impl PartialEq for AsWritten {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for AsWritten {}

impl View {
    /// What stands in the parentheses of `with (…)` in its options, by name. What is switched off is left out: that is the
    /// default of all that can be switched.
    #[must_use]
    pub fn parameters(&self) -> Vec<(String, String)> {
        let clause = Expression::new(&self.options).clause(&["with"]);
        let inside = clause.as_ref().and_then(|clause| clause.sql().split_once('(')?.1.strip_suffix(')'));
        let parameter = |text: &str| {
            let (name, value) = text.split_once('=').unwrap_or((text, "true"));
            let value = value.trim().trim_matches('\'').to_lowercase();
            let value = match value.as_str() {
                "on" | "yes" | "1" => "true",
                "off" | "no" | "0" => "false",
                other => other,
            };
            (name.trim().to_lowercase(), value.to_owned())
        };
        let mut parameters: Vec<_> = inside.into_iter().flat_map(|inside| inside.split(',')).map(parameter).collect();
        parameters.retain(|(_, value)| value != "false");
        parameters.sort();
        parameters
    }

    /// What PostgreSQL calls it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        if self.materialized { "materialized view" } else { "view" }
    }
}

/// A trigger of a live SQLite database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqliteTrigger {
    /// The table or view that it is on.
    pub on: Name,
    /// The statement that creates it.
    pub sql: String,
}

/// Something that the model knows by name only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherObject {
    /// In which namespace its name lives.
    pub kind: OtherKind,
    /// The relation that it falls with: that of an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<QualifiedName>,
    /// Who created it.
    #[serde(default)]
    pub origin: Origin,
}

/// The namespace of an object that the model knows by name only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OtherKind {
    /// A range or base type.
    Type,
    /// A foreign table, a table made by a query whose columns aren't certain, or an index of one of those.
    Relation,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_a_view_have_one_spelling() {
        let view = |options: &str| View { options: options.to_owned(), ..View::default() };
        let written = view("with (Security_Barrier, security_invoker = 'on', check_option = local)");
        let stored = view("with (check_option=local, security_barrier=true, security_invoker=on)");
        assert_eq!(written.parameters(), stored.parameters());
        assert_eq!(written.parameters().len(), 3);
        assert_eq!(view("with (security_barrier=false)").parameters(), []);
        assert_eq!(view("").parameters(), []);
    }
}
