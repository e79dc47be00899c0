//! `alter sequence`: its options and its owner.
//!
//! - **SQL**: `alter sequence invoice_numbers increment by 10 owned by invoices.number`
//! - **Lock**: share row exclusive on the sequence
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: the previous options and owner
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER SEQUENCE`

use crate::effects::{Effects, LockMode};
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, NoInverse, Operate};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema, Sequence, SequenceOptions, default_limits};
use serde::{Deserialize, Serialize};

/// Changes what is named, and leaves the rest as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlterSequence {
    /// The sequence.
    pub name: QualifiedName,
    /// What changes.
    pub changes: Vec<SequenceChange>,
}

/// One attribute of a sequence, and its new value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SequenceChange {
    /// `as`.
    Type(String),
    /// `increment by`.
    Increment(i64),
    /// `minvalue`; `None`: `no minvalue`.
    Minimum(Option<i64>),
    /// `maxvalue`; `None`: `no maxvalue`.
    Maximum(Option<i64>),
    /// `start with`.
    Start(i64),
    /// `cache`.
    Cache(i64),
    /// `cycle`, `no cycle`.
    Cycle(bool),
    /// `owned by`; `None`: `owned by none`.
    OwnedBy(Option<(QualifiedName, Name)>),
}

impl SequenceChange {
    /// As it stands in `alter sequence`.
    #[must_use]
    pub fn sql(&self) -> String {
        match self {
            Self::Type(name) => format!("as {name}"),
            Self::Increment(number) => format!("increment by {number}"),
            Self::Minimum(Some(number)) => format!("minvalue {number}"),
            Self::Minimum(None) => "no minvalue".to_owned(),
            Self::Maximum(Some(number)) => format!("maxvalue {number}"),
            Self::Maximum(None) => "no maxvalue".to_owned(),
            Self::Start(number) => format!("start with {number}"),
            Self::Cache(number) => format!("cache {number}"),
            Self::Cycle(true) => "cycle".to_owned(),
            Self::Cycle(false) => "no cycle".to_owned(),
            Self::OwnedBy(Some((table, column))) => format!("owned by {}.{}", table.quoted(), column.quoted()),
            Self::OwnedBy(None) => "owned by none".to_owned(),
        }
    }
}

impl AlterSequence {
    fn owner(&self) -> Option<&(QualifiedName, Name)> {
        self.changes.iter().find_map(|change| match change {
            SequenceChange::OwnedBy(owner) => owner.as_ref(),
            _ => None,
        })
    }

    fn change(&self, sequence: &mut Sequence) {
        sequence.options = change_options(&sequence.options, &self.changes);
        for change in &self.changes {
            if let SequenceChange::OwnedBy(owner) = change {
                sequence.owned_by.clone_from(owner);
            }
        }
    }
}

/// The options after `changes`.
pub(super) fn change_options(options: &SequenceOptions, changes: &[SequenceChange]) -> SequenceOptions {
    let mut attributes = options.attributes();
    // the type and the direction first: what is left at their defaults follows them, in whichever order they stand
    for change in changes {
        match change {
            SequenceChange::Type(name) => {
                let (least, greatest) = default_limits(&attributes.data_type, attributes.increment);
                let (new_least, new_greatest) = default_limits(name, attributes.increment);
                if attributes.minimum == least {
                    attributes.minimum = new_least;
                }
                if attributes.maximum == greatest {
                    attributes.maximum = new_greatest;
                }
                attributes.data_type.clone_from(name);
            }
            SequenceChange::Increment(number) => attributes.increment = *number,
            SequenceChange::Start(number) => attributes.start = *number,
            SequenceChange::Cache(number) => attributes.cache = *number,
            SequenceChange::Cycle(cycle) => attributes.cycle = *cycle,
            SequenceChange::Minimum(_) | SequenceChange::Maximum(_) | SequenceChange::OwnedBy(_) => {}
        }
    }
    let (least, greatest) = default_limits(&attributes.data_type, attributes.increment);
    for change in changes {
        match change {
            SequenceChange::Minimum(number) => attributes.minimum = number.unwrap_or(least),
            SequenceChange::Maximum(number) => attributes.maximum = number.unwrap_or(greatest),
            _ => {}
        }
    }
    attributes.options()
}

/// What leads from the options `new` to `old`.
pub(super) fn difference(new: &SequenceOptions, old: &SequenceOptions) -> Vec<SequenceChange> {
    let (new, old) = (new.attributes(), old.attributes());
    let mut changes = Vec::new();
    if new.data_type != old.data_type {
        changes.push(SequenceChange::Type(old.data_type));
    }
    if new.increment != old.increment {
        changes.push(SequenceChange::Increment(old.increment));
    }
    if new.minimum != old.minimum {
        changes.push(SequenceChange::Minimum(Some(old.minimum)));
    }
    if new.maximum != old.maximum {
        changes.push(SequenceChange::Maximum(Some(old.maximum)));
    }
    if new.start != old.start {
        changes.push(SequenceChange::Start(old.start));
    }
    if new.cache != old.cache {
        changes.push(SequenceChange::Cache(old.cache));
    }
    if new.cycle != old.cycle {
        changes.push(SequenceChange::Cycle(old.cycle));
    }
    changes
}

impl Operate for AlterSequence {
    fn describe(&self) -> String {
        let changes: Vec<_> = self.changes.iter().map(SequenceChange::sql).collect();
        format!("alter sequence `{}`: {}", self.name, changes.join(", "))
    }

    fn requires(&self) -> Vec<ObjectKey> {
        self.owner().map(|(table, column)| ObjectKey::Column(table.clone(), column.clone())).into_iter().collect()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Sequence(self.name.clone())]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        report.needs_sequence(schema, &self.name);
        if let Some(owner) = self.owner() {
            super::create_sequence::check_owner(schema, &self.name, owner, report);
        }
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        if let Some(sequence) = schema.sequences.get_mut(&self.name) {
            self.change(sequence);
        }
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        let own = Effects::lock(&self.name, LockMode::ShareRowExclusive);
        self.owner().into_iter().fold(own, |effects, (table, _)| effects.and_lock(table, LockMode::AccessShare))
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        let Some(sequence) = before.sequences.get(&self.name) else {
            return Err(NoInverse::because(format!("nothing is known of sequence `{}`", self.name)));
        };
        let mut after = sequence.clone();
        self.change(&mut after);
        let mut changes = difference(&after.options, &sequence.options);
        if after.owned_by != sequence.owned_by {
            changes.push(SequenceChange::OwnedBy(sequence.owned_by.clone()));
        }
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![Self { name: self.name.clone(), changes }.into()])
    }

    fn render(&self) -> Vec<String> {
        let changes: Vec<_> = self.changes.iter().map(SequenceChange::sql).collect();
        vec![format!("alter sequence {} {}", self.name.quoted(), changes.join(" "))]
    }
}

#[cfg(feature = "parser")]
pub(super) use lower::change;

#[cfg(feature = "parser")]
mod lower {
    use super::{AlterSequence, SequenceChange};
    use crate::lower::{columns, syntax};
    use crate::name::QualifiedName;
    use squawk_syntax::ast;

    impl AlterSequence {
        /// `None` where one of the actions is none of ours: `restart`, `set logged`, `owner to`.
        pub(crate) fn lower(name: &QualifiedName, statement: &ast::AlterSequence) -> Option<Self> {
            let changes = statement.actions().map(|action| match action {
                ast::AlterSequenceAction::SequenceOption(option) => change(&option),
                _ => None,
            });
            let changes: Vec<_> = changes.collect::<Option<_>>()?;
            (!changes.is_empty()).then(|| Self { name: name.clone(), changes })
        }
    }

    pub(crate) fn change(option: &ast::SequenceOption) -> Option<SequenceChange> {
        Some(match option {
            ast::SequenceOption::OptionAsType(it) => SequenceChange::Type(syntax::data_type(&it.ty()?)?.sql()),
            ast::SequenceOption::OptionStart(it) => SequenceChange::Start(columns::number(it.expr())?),
            ast::SequenceOption::OptionIncrement(it) => SequenceChange::Increment(columns::number(it.expr())?),
            ast::SequenceOption::OptionMinValue(it) => SequenceChange::Minimum(Some(columns::number(it.expr())?)),
            ast::SequenceOption::OptionMaxValue(it) => SequenceChange::Maximum(Some(columns::number(it.expr())?)),
            ast::SequenceOption::OptionNoMinValue(_) => SequenceChange::Minimum(None),
            ast::SequenceOption::OptionNoMaxValue(_) => SequenceChange::Maximum(None),
            ast::SequenceOption::OptionCache(it) => SequenceChange::Cache(columns::number(it.expr())?),
            ast::SequenceOption::OptionCycle(_) => SequenceChange::Cycle(true),
            ast::SequenceOption::OptionNoCycle(_) => SequenceChange::Cycle(false),
            ast::SequenceOption::OptionOwnedBy(it) => SequenceChange::OwnedBy(match it.owned_by_target()? {
                ast::OwnedByTarget::OwnedByNone(_) => None,
                ast::OwnedByTarget::QualifiedColumnNameRef(it) => Some(syntax::column_ref(&it)?),
            }),
            _ => return None,
        })
    }
}
