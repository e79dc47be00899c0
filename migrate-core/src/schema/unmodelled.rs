//! What hangs on a table or a view without a definition in the model.

use super::Schema;
use crate::name::{Name, QualifiedName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// Something that falls with its table or view, and that nobody could bring back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unmodelled {
    /// A policy for whoever creates it.
    Policy(Name),
    /// A rewrite rule.
    Rule(Name),
    /// Privileges on the whole.
    Grant,
    /// Privileges on some of its columns.
    ColumnGrant,
}

impl Unmodelled {
    /// Whether it may fall with a column: privileges always, what may read the column only by `cascade`.
    #[must_use]
    pub fn falls_with_column(&self, cascade: bool) -> bool {
        match self {
            Self::ColumnGrant => true,
            Self::Policy(_) | Self::Rule(_) => cascade,
            Self::Grant => false,
        }
    }
}

impl fmt::Display for Unmodelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy(name) => write!(f, "policy `{name}`"),
            Self::Rule(name) => write!(f, "rule `{name}`"),
            Self::Grant => f.write_str("a grant"),
            Self::ColumnGrant => f.write_str("a grant on a column"),
        }
    }
}

impl Schema {
    /// What hangs on a table or a view; `None` if the model has no definition of that name.
    pub fn unmodelled_mut(&mut self, relation: &QualifiedName) -> Option<&mut BTreeSet<Unmodelled>> {
        if let Some(table) = self.tables.get_mut(relation) {
            return Some(&mut table.unmodelled);
        }
        self.views.get_mut(relation).map(|view| &mut view.unmodelled)
    }
}
