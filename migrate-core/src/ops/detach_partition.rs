//! `alter table … detach partition`.
//!
//! - **SQL**: `alter table events detach partition events_2024 concurrently`
//! - **Lock**: access exclusive on the partitioned table, the partition and the default partition; with `concurrently` share
//!   update exclusive on the partitioned table, which blocks neither reads nor writes, and at the end access exclusive on the
//!   partition
//! - **Rewrites**: nothing
//! - **Transaction**: inside; with `concurrently` outside
//! - **Undo**: `attach partition`
//! - **Since**: PostgreSQL 13; `concurrently` and `finalize` 14
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `DETACH PARTITION`

use crate::effects::{Effects, LockMode, TransactionNeed};
use crate::expression::Expression;
use crate::name::{Name, QualifiedName};
use crate::naming;
use crate::operation::{Inverse, NoInverse, Operate};
use crate::ops::{AttachPartition, DropConstraint, family};
use crate::report::Report;
use crate::schema::{Bound, Constraint, ConstraintKind, ObjectKey, Origin, Schema, Table};
use serde::{Deserialize, Serialize};

/// Makes a partition a table of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DetachPartition {
    /// The partitioned table.
    pub table: QualifiedName,
    /// The partition.
    pub partition: QualifiedName,
    /// How it goes on while others read and write.
    #[serde(default)]
    pub mode: DetachMode,
}

/// How a partition is detached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DetachMode {
    /// At once, and nobody may look.
    #[default]
    Plain,
    /// `concurrently`: in two transactions of PostgreSQL's own.
    Concurrently,
    /// `finalize`: the second of those, after the first was interrupted.
    Finalize,
}

impl DetachPartition {
    /// Detaches at once.
    #[must_use]
    pub fn new(table: QualifiedName, partition: QualifiedName) -> Self {
        Self { table, partition, mode: DetachMode::Plain }
    }

    /// The partition, as long as it is one.
    fn attached<'a>(&self, schema: &'a Schema) -> Option<&'a Table> {
        schema.table(&self.partition).filter(|table| table.partition.as_ref().is_some_and(|partition| partition.of == self.table))
    }

    /// What `concurrently` leaves on the partition: a check that says what its bound said. Of a key with several columns, or
    /// of a hash, the model doesn't know how PostgreSQL says it.
    fn left_check(&self, schema: &Schema) -> Option<Constraint> {
        let partition = self.attached(schema)?;
        let column = match schema.table(&self.table)?.partition_columns().as_slice() {
            [column] if !schema.table(&self.table)?.is_partitioned_by_expression() => column.clone(),
            _ => return None,
        };
        let bound = &partition.partition.as_ref()?.bound;
        let expression = Expression::new(Bound::read(bound)?.condition(&column, bound)?);
        let kind = ConstraintKind::Check { expression, no_inherit: false };
        let name = naming::partition_constraint(schema, &self.partition, &partition.columns, &kind);
        Some(Constraint::new(name, kind))
    }
}

impl Operate for DetachPartition {
    fn describe(&self) -> String {
        format!("detach partition `{}` from `{}`", self.partition, self.table)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Table(self.table.clone())]
    }

    fn touches(&self) -> Vec<ObjectKey> {
        if self.mode == DetachMode::Finalize { Vec::new() } else { vec![ObjectKey::Table(self.partition.clone())] }
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        let known = report.needs_table(schema, &self.table);
        if !report.needs_table(schema, &self.partition) || !known {
            return;
        }
        if self.attached(schema).is_none() && self.mode != DetachMode::Finalize {
            report.not_a_partition_of(&self.partition, &self.table);
            return;
        }
        if self.mode == DetachMode::Concurrently
            && let Some(default) = schema.default_partition(&self.table)
        {
            report.no_concurrent_detach(&self.partition, &self.table, default);
        }
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        if self.attached(schema).is_none() {
            return;
        }
        let left = if self.mode == DetachMode::Concurrently { self.left_check(schema) } else { None };
        if let Some(table) = schema.tables.get_mut(&self.partition) {
            table.partition = None;
        }
        schema.release(&self.partition);
        if let Some(check) = left {
            schema.add_constraint(&self.partition, check, false);
        }
    }

    fn effects(&self, schema: &Schema) -> Effects {
        match self.mode {
            DetachMode::Plain => {
                let effects = Effects::lock(&self.table, LockMode::AccessExclusive).and_lock(&self.partition, LockMode::AccessExclusive);
                let default = schema.default_partition(&self.table);
                let effects = default.into_iter().fold(effects, |effects, default| effects.and_lock(default, LockMode::AccessExclusive));
                let effects = family::targets(schema, &self.partition)
                    .fold(effects, |effects, target| effects.and_lock(target, LockMode::ShareRowExclusive));
                Effects { breaks_readers: true, ..effects }
            }
            DetachMode::Concurrently => {
                let effects = Effects::lock(&self.table, LockMode::ShareUpdateExclusive);
                let effects = effects.and_lock(&self.partition, LockMode::AccessExclusive);
                Effects { breaks_readers: true, transaction: TransactionNeed::Outside, ..effects }
            }
            DetachMode::Finalize => {
                Effects::lock(&self.table, LockMode::ShareUpdateExclusive).and_lock(&self.partition, LockMode::AccessExclusive)
            }
        }
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        let Some(partition) = self.attached(before).and_then(|table| table.partition.as_ref()) else {
            if self.mode == DetachMode::Finalize {
                return Ok(Vec::new());
            }
            return Err(NoInverse::because(format!("nothing is known of partition `{}` of `{}`", self.partition, self.table)));
        };
        let attach = AttachPartition { table: self.table.clone(), partition: self.partition.clone(), bound: partition.bound.clone() };
        let mut operations = vec![attach.into()];
        if self.mode == DetachMode::Concurrently {
            let Some(left) = self.left_check(before) else {
                let reason = format!("PostgreSQL leaves a check constraint on `{}` whose name isn't known", self.partition);
                return Err(NoInverse::because(reason));
            };
            operations.push(DropConstraint::new(self.partition.clone(), left.name).into());
        }
        Ok(operations)
    }

    fn render(&self) -> Vec<String> {
        let mode = match self.mode {
            DetachMode::Plain => "",
            DetachMode::Concurrently => " concurrently",
            DetachMode::Finalize => " finalize",
        };
        vec![format!("alter table {} detach partition {}{mode}", self.table.quoted(), self.partition.quoted())]
    }
}

impl Bound {
    /// What PostgreSQL demands of the rows of a partition by one column.
    fn condition(&self, column: &Name, bound: &Expression) -> Option<String> {
        let column = column.quoted();
        let values = bound.lists();
        match self {
            Self::Range(from, to) => {
                let (first, last) = (values.first()?.first()?, values.get(1)?.first()?);
                let mut parts = vec![format!("({column} is not null)")];
                if from.first()?.is_finite() {
                    parts.push(format!("({column} >= {first})"));
                }
                if to.first()?.is_finite() {
                    parts.push(format!("({column} < {last})"));
                }
                Some(parts.join(" and "))
            }
            Self::List(_) => match values.first()?.as_slice() {
                [value] if !value.eq_ignore_ascii_case("null") => Some(format!("({column} is not null) and ({column} = {value})")),
                values if values.iter().all(|value| !value.eq_ignore_ascii_case("null")) => {
                    Some(format!("({column} is not null) and ({column} = any (array[{}]))", values.join(", ")))
                }
                _ => None,
            },
            Self::Default | Self::Hash(..) => None,
        }
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::{DetachMode, DetachPartition};
    use crate::lower::syntax;
    use crate::name::QualifiedName;
    use squawk_syntax::ast;

    impl DetachPartition {
        pub(crate) fn lower(table: &QualifiedName, action: &ast::DetachPartition) -> Option<Self> {
            let mode = match action.detach_partition_option() {
                None => DetachMode::Plain,
                Some(ast::DetachPartitionOption::DetachConcurrently(_)) => DetachMode::Concurrently,
                Some(ast::DetachPartitionOption::DetachFinalize(_)) => DetachMode::Finalize,
            };
            Some(Self { table: table.clone(), partition: syntax::table_ref(&action.table_name_ref()?)?, mode })
        }
    }
}
