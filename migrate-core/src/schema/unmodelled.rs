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
    /// A trigger.
    Trigger(Name),
    /// A policy.
    Policy(Name),
    /// A rewrite rule.
    Rule(Name),
    /// Privileges on the whole.
    Grant,
    /// Privileges on some of its columns.
    ColumnGrant,
    /// `enable row level security`.
    RowSecurity,
    /// `force row level security`.
    ForcedRowSecurity,
}

impl Unmodelled {
    /// Whether it may fall with a column: privileges always, what may read the column only by `cascade`.
    #[must_use]
    pub fn falls_with_column(&self, cascade: bool) -> bool {
        match self {
            Self::ColumnGrant => true,
            Self::Trigger(_) | Self::Policy(_) | Self::Rule(_) => cascade,
            Self::Grant | Self::RowSecurity | Self::ForcedRowSecurity => false,
        }
    }
}

impl fmt::Display for Unmodelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trigger(name) => write!(f, "trigger `{name}`"),
            Self::Policy(name) => write!(f, "policy `{name}`"),
            Self::Rule(name) => write!(f, "rule `{name}`"),
            Self::Grant => f.write_str("a grant"),
            Self::ColumnGrant => f.write_str("a grant on a column"),
            Self::RowSecurity => f.write_str("row level security"),
            Self::ForcedRowSecurity => f.write_str("forced row level security"),
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
