//! Constraints of a table.

use crate::expression::{Expression, token_list};
use crate::name::{Name, QualifiedName};
use serde::{Deserialize, Serialize};

/// A constraint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Constraint {
    /// Its name, given or generated.
    pub name: Name,
    /// What it demands.
    pub kind: ConstraintKind,
    /// Whether it is deferrable.
    #[serde(default)]
    pub deferral: Deferral,
    /// `false` after `not valid`, until it is validated.
    #[serde(default = "yes")]
    pub validated: bool,
    /// The text of `comment on constraint`.
    #[serde(default)]
    pub comment: Option<String>,
    /// Whether it is the table's own: one that it only has from a parent goes with the parent's.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub local: bool,
    /// Of a partition: the constraint, or the index, of the partitioned table that it is the part of. A check has the name
    /// of its parent's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Name>,
}

impl Constraint {
    /// A constraint of the table itself that holds for all rows.
    #[must_use]
    pub fn new(name: Name, kind: ConstraintKind) -> Self {
        Self { name, kind, deferral: Deferral::No, validated: true, comment: None, local: true, parent: None }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn is_true(value: &bool) -> bool {
    *value
}

fn yes() -> bool {
    true
}

/// When a constraint is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deferral {
    /// `not deferrable`.
    #[default]
    No,
    /// `deferrable initially immediate`.
    Immediate,
    /// `deferrable initially deferred`.
    Deferred,
}

impl std::fmt::Display for Deferral {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::No => "not deferrable",
            Self::Immediate => "deferrable",
            Self::Deferred => "deferrable initially deferred",
        })
    }
}

/// What a constraint demands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConstraintKind {
    /// `primary key (…)`.
    PrimaryKey(Key),
    /// `unique (…)`.
    Unique(Key),
    /// `foreign key (…) references …`.
    ForeignKey(ForeignKey),
    /// `check (…)`.
    Check {
        /// The condition, without the outer parentheses.
        expression: Expression,
        /// `no inherit`.
        no_inherit: bool,
    },
    /// `exclude …`, as written after the word.
    Exclude {
        /// The definition after `exclude`.
        definition: Expression,
    },
}

/// The columns of a primary key or a unique constraint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// The key's columns.
    pub columns: Vec<Name>,
    /// `include (…)`.
    #[serde(default)]
    pub include: Vec<Name>,
    /// `nulls not distinct` (PostgreSQL 15).
    #[serde(default)]
    pub nulls_not_distinct: bool,
    /// `with (…)`: storage parameters of the index as written, without the parentheses.
    #[serde(default)]
    pub storage: String,
}

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignKey {
    /// The referencing columns.
    pub columns: Vec<Name>,
    /// The referenced table.
    pub references: QualifiedName,
    /// The referenced columns; while it is empty the target's primary key is meant (`bind` fills it in).
    pub referenced_columns: Vec<Name>,
    /// `on delete`.
    #[serde(default)]
    pub on_delete: ReferentialAction,
    /// The columns of `on delete set null (…)`, empty for all (PostgreSQL 15).
    #[serde(default)]
    pub on_delete_columns: Vec<Name>,
    /// `on update`.
    #[serde(default)]
    pub on_update: ReferentialAction,
    /// `match full`.
    #[serde(default)]
    pub match_type: MatchType,
}

/// What a foreign key does to the referencing rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReferentialAction {
    /// `no action`.
    #[default]
    NoAction,
    /// `restrict`.
    Restrict,
    /// `cascade`.
    Cascade,
    /// `set null`.
    SetNull,
    /// `set default`.
    SetDefault,
}

impl ReferentialAction {
    /// As SQL.
    #[must_use]
    pub fn sql(self) -> &'static str {
        match self {
            Self::NoAction => "no action",
            Self::Restrict => "restrict",
            Self::Cascade => "cascade",
            Self::SetNull => "set null",
            Self::SetDefault => "set default",
        }
    }
}

/// How a composite foreign key treats nulls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum MatchType {
    /// `match simple`.
    #[default]
    Simple,
    /// `match full`.
    Full,
}

impl std::fmt::Display for MatchType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Simple => "simple",
            Self::Full => "full",
        })
    }
}

impl ConstraintKind {
    /// Whether PostgreSQL keeps an index of the constraint's name behind it.
    #[must_use]
    pub fn has_index(&self) -> bool {
        matches!(self, Self::PrimaryKey(_) | Self::Unique(_) | Self::Exclude { .. })
    }

    /// The columns of a primary key or a unique constraint.
    #[must_use]
    pub fn key_columns(&self) -> Option<&[Name]> {
        match self {
            Self::PrimaryKey(key) | Self::Unique(key) => Some(&key.columns),
            _ => None,
        }
    }

    /// Whether it falls when `column` of its table is dropped.
    #[must_use]
    pub fn involves(&self, column: &str) -> bool {
        match self {
            Self::PrimaryKey(key) | Self::Unique(key) => key.columns.iter().chain(&key.include).any(|name| *name == column),
            Self::ForeignKey(key) => key.columns.iter().any(|name| *name == column),
            Self::Check { expression, .. } => expression.mentions(column),
            Self::Exclude { definition } => definition.mentions(column),
        }
    }

    /// Whether it is an exclusion constraint over an expression or with a condition.
    #[must_use]
    pub fn is_computed(&self) -> bool {
        let Self::Exclude { definition } = self else { return false };
        let mut depth = 0_u32;
        token_list(definition.sql()).iter().any(|token| {
            if token.is("(") {
                depth += 1;
            } else if token.is(")") {
                depth = depth.saturating_sub(1);
            }
            depth > 1 || (depth == 0 && token.is_word("where"))
        })
    }

    /// Follows the rename of a column of its own table.
    pub fn rename_column(&mut self, from: &str, to: &Name) {
        match self {
            Self::PrimaryKey(key) | Self::Unique(key) => {
                rename_in(&mut key.columns, from, to);
                rename_in(&mut key.include, from, to);
            }
            Self::ForeignKey(key) => {
                rename_in(&mut key.columns, from, to);
                rename_in(&mut key.on_delete_columns, from, to);
            }
            Self::Check { expression, .. } => expression.rename_column(from, to),
            Self::Exclude { definition } => definition.rename_column(from, to),
        }
    }

    /// Its expressions.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let expression = match self {
            Self::Check { expression, .. } => Some(expression),
            Self::Exclude { definition } => Some(definition),
            Self::PrimaryKey(_) | Self::Unique(_) | Self::ForeignKey(_) => None,
        };
        expression.into_iter()
    }

    /// Lets `change` at each expression.
    pub fn each_expression(&mut self, mut change: impl FnMut(&mut Expression)) {
        match self {
            Self::Check { expression, .. } => change(expression),
            Self::Exclude { definition } => change(definition),
            Self::PrimaryKey(_) | Self::Unique(_) | Self::ForeignKey(_) => {}
        }
    }
}

pub(super) fn rename_in(names: &mut [Name], from: &str, to: &Name) {
    for name in names.iter_mut().filter(|name| name.as_str() == from) {
        *name = to.clone();
    }
}
