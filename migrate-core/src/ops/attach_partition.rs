//! `alter table … attach partition`.
//!
//! - **SQL**: `alter table events attach partition events_2024 for values from ('2024-01-01') to ('2025-01-01')`
//! - **Lock**: share update exclusive on the partitioned table, access exclusive on the partition and on the default partition
//! - **Rewrites**: nothing; the partition is read whole, unless a check constraint proves that its rows fit, and so is the
//!   default partition; indexes that the partition lacks are built
//! - **Transaction**: inside
//! - **Undo**: `detach partition`; what it gave the partition is dropped
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `ATTACH PARTITION`

use crate::checks;
use crate::effects::{Effects, LockMode};
use crate::expression::Expression;
use crate::name::QualifiedName;
use crate::operation::{Inverse, Operate, Operation};
use crate::ops::detach_partition::DetachPartition;
use crate::ops::{DropConstraint, DropIndex, family};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Partition, Schema};
use serde::{Deserialize, Serialize};

/// Makes a table a partition of another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachPartition {
    /// The partitioned table.
    pub table: QualifiedName,
    /// The table that becomes a partition.
    pub partition: QualifiedName,
    /// `for values …`, or `default`.
    pub bound: Expression,
}

impl AttachPartition {
    fn partition(&self) -> Partition {
        Partition { of: self.table.clone(), bound: self.bound.clone() }
    }
}

impl Operate for AttachPartition {
    fn describe(&self) -> String {
        format!("attach partition `{}` to `{}`", self.partition, self.table)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Table(self.table.clone()), ObjectKey::Table(self.partition.clone())]
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Table(self.partition.clone())]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        let known = report.needs_table(schema, &self.table);
        if !report.needs_table(schema, &self.partition) || !known {
            return;
        }
        let (Some(parent), Some(child)) = (schema.table(&self.table), schema.table(&self.partition)) else { return };
        if let Some(partition) = &child.partition {
            report.has_parent_already(&self.partition, &partition.of, "is a partition of");
            return;
        }
        if let Some(parent) = child.inherits.first() {
            report.has_parent_already(&self.partition, parent, "inherits from");
            return;
        }
        let told = report.problems.len();
        checks::new_partition(schema, &self.partition(), report);
        if report.problems.len() == told {
            checks::fits_parent(schema, &self.table, &self.partition, report);
        }
        for constraint in parent.constraints.values().filter(|_| child.is_partitioned()) {
            checks::covers_partition_key(child, constraint, self.partition.at(), report);
        }
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        if self.table == self.partition || schema.descendants(&self.partition).contains(&self.table) {
            return;
        }
        let Some(table) = schema.tables.get_mut(&self.partition).filter(|table| table.partition.is_none()) else { return };
        table.partition = Some(self.partition());
        schema.adopt(&self.partition, &self.table);
    }

    fn effects(&self, schema: &Schema) -> Effects {
        let effects = Effects::lock(&self.table, LockMode::ShareUpdateExclusive).and_lock(&self.partition, LockMode::AccessExclusive);
        let below = schema.descendants(&self.partition);
        let effects = below.iter().fold(effects, |effects, table| effects.and_lock(table, LockMode::AccessExclusive));
        // where there is no other partition, every row belongs to the default one
        let takes_all = self.bound.sql().eq_ignore_ascii_case("default") && schema.partitions(&self.table).is_empty();
        let read = std::iter::once(&self.partition).chain(&below).filter(|_| !takes_all);
        let effects = read.fold(effects, Effects::and_scan);
        let targets = family::targets(schema, &self.table);
        let effects = targets.fold(effects, |effects, target| effects.and_lock(target, LockMode::ShareRowExclusive));
        let mut after = schema.clone();
        self.apply(&mut after, &Origin::default());
        let effects = std::iter::once(&self.partition).chain(&below).fold(effects, |effects, table| {
            family::replaced_targets(schema, &after, table)
                .fold(effects, |effects, target| effects.and_lock(target, LockMode::AccessExclusive))
        });
        match schema.default_partition(&self.table).filter(|default| **default != self.partition) {
            Some(default) => effects.and_lock(default, LockMode::AccessExclusive).and_scan(default),
            None => effects,
        }
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        if before.table(&self.partition).is_some_and(|table| table.partition.is_some()) {
            return Ok(Vec::new());
        }
        let mut operations: Vec<Operation> = vec![DetachPartition::new(self.table.clone(), self.partition.clone()).into()];
        let mut after = before.clone();
        self.apply(&mut after, &Origin::default());
        let below = after.descendants(&self.partition);
        for name in std::iter::once(&self.partition).chain(&below) {
            let (Some(old), Some(new)) = (before.table(name), after.table(name)) else { continue };
            // what is part of something above it falls with that
            let falls_alone = |parent: Option<&crate::name::Name>| *name == self.partition || parent.is_none();
            for constraint in new.constraints.values() {
                if !old.constraints.contains_key(&constraint.name) && falls_alone(constraint.parent.as_ref()) {
                    operations.push(DropConstraint::new(name.clone(), constraint.name.clone()).into());
                }
            }
            for index in new.indexes.values() {
                if !old.indexes.contains_key(&index.name) && falls_alone(index.parent.as_ref()) {
                    operations.push(DropIndex::new(name.sibling(index.name.clone())).into());
                }
            }
        }
        Ok(operations)
    }

    fn render(&self) -> Vec<String> {
        vec![format!("alter table {} attach partition {} {}", self.table.quoted(), self.partition.quoted(), self.bound.sql())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::AttachPartition;
    use crate::lower::syntax;
    use crate::name::QualifiedName;
    use squawk_syntax::ast;

    impl AttachPartition {
        pub(crate) fn lower(table: &QualifiedName, action: &ast::AttachPartition) -> Option<Self> {
            let partition = syntax::table_ref(&action.table_name_ref()?)?;
            Some(Self { table: table.clone(), partition, bound: syntax::clause(&action.partition_type()?) })
        }
    }
}
