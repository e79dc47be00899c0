//! `alter index … attach partition`.
//!
//! - **SQL**: `alter index events_at_idx attach partition events_2024_at_idx`
//! - **Lock**: access share on the partitioned table and on the partition
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: PostgreSQL has none: the index of the partitioned table is dropped with its parts, and made again
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER INDEX`, `ATTACH PARTITION`

use crate::effects::{Effects, LockMode};
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, NoInverse, Operate, Operation};
use crate::ops::{AddConstraint, CreateIndex, DropConstraint, DropIndex, create_index};
use crate::report::Report;
use crate::schema::{Index, ObjectKey, Origin, Schema, Table, UniqueKey};
use serde::{Deserialize, Serialize};

/// Makes an index of a partition the part of an index of the partitioned table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachIndex {
    /// The index of the partitioned table, or of a constraint of it.
    pub index: QualifiedName,
    /// The index of the partition, or of a constraint of it.
    pub part: QualifiedName,
    /// The partition, once bound.
    #[serde(default)]
    pub partition: Option<QualifiedName>,
    /// Whether the index of the partition belongs to a constraint. Found out by `bind`.
    #[serde(default)]
    pub of_constraint: bool,
}

impl AttachIndex {
    fn part_key(&self) -> Option<ObjectKey> {
        let partition = self.partition.as_ref()?;
        Some(if self.of_constraint {
            ObjectKey::Constraint(partition.clone(), self.part.name.clone())
        } else {
            ObjectKey::Index(self.part.clone())
        })
    }

    /// The name of the index that the part belongs to already.
    fn parent<'a>(&self, schema: &'a Schema) -> Option<&'a Name> {
        let partition = owner(schema, &self.part)?;
        let index = partition.indexes.get(&self.part.name).and_then(|index| index.parent.as_ref());
        index.or_else(|| partition.constraints.get(&self.part.name)?.parent.as_ref())
    }
}

/// The table that has the index, or the constraint with that index.
fn owner<'a>(schema: &'a Schema, index: &QualifiedName) -> Option<&'a Table> {
    schema.table_of_index(index).or_else(|| schema.table_of_constraint_index(index))
}

impl Operate for AttachIndex {
    fn describe(&self) -> String {
        format!("attach index `{}` to `{}`", self.part, self.index)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Index(self.index.clone())]
    }

    fn touches(&self) -> Vec<ObjectKey> {
        self.part_key().into_iter().collect()
    }

    fn bind(&mut self, schema: &Schema) {
        self.partition = owner(schema, &self.part).map(|table| table.name.clone());
        self.of_constraint = schema.table_of_constraint_index(&self.part).is_some();
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        let mut known = true;
        for index in [&self.index, &self.part] {
            match schema.relation_kind(index) {
                Some("index" | "relation") => {}
                Some(kind) => report.not_an_index(index, kind),
                None => report.unknown(schema, &ObjectKey::Index(index.clone()), index.at()),
            }
            known &= owner(schema, index).is_some();
        }
        let (Some(table), Some(partition)) = (owner(schema, &self.index), owner(schema, &self.part)) else { return };
        if known && partition.partition.as_ref().is_none_or(|it| it.of != table.name) {
            report.index_of_no_partition(&self.part, &partition.name, &table.name);
        } else if let Some(parent) = self.parent(schema).filter(|parent| **parent != self.index.name) {
            report.part_of_index(&self.part, &table.name.sibling(parent.clone()));
        }
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        let Some(table) = owner(schema, &self.index).map(|table| table.name.clone()) else { return };
        let Some(partition) = owner(schema, &self.part).map(|table| table.name.clone()) else { return };
        let Some(owner) = schema.tables.get_mut(&partition) else { return };
        let parent = Some(self.index.name.clone());
        if let Some(index) = owner.indexes.get_mut(&self.part.name) {
            index.parent.clone_from(&parent);
        } else if let Some(constraint) = owner.constraints.get_mut(&self.part.name) {
            (constraint.parent, constraint.local) = (parent.clone(), false);
        }
        let complete = schema.partitions(&table).iter().all(|partition| {
            schema.table(partition).is_some_and(|partition| {
                let mut parents = partition.indexes.values().map(|index| &index.parent);
                parents.any(|it| *it == parent) || partition.constraints.values().any(|constraint| constraint.parent == parent)
            })
        });
        let index = schema.tables.get_mut(&table).and_then(|table| table.indexes.get_mut(&self.index.name));
        if let Some(index) = index.filter(|_| complete) {
            index.only = false;
        }
    }

    fn effects(&self, schema: &Schema) -> Effects {
        let tables = [&self.index, &self.part].into_iter().filter_map(|index| owner(schema, index));
        tables.fold(Effects::default(), |effects, table| effects.and_lock(&table.name, LockMode::AccessShare))
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        if self.parent(before) == Some(&self.index.name) {
            return Ok(Vec::new());
        }
        let Some(table) = owner(before, &self.index) else {
            return Err(NoInverse::because(format!("nothing is known of index `{}`", self.index)));
        };
        let is_constraint = table.constraints.contains_key(&self.index.name);
        let key = if is_constraint { UniqueKey::Constraint(&self.index.name) } else { UniqueKey::Index(&self.index.name) };
        let partitioned_below = before.partitions(&table.name).iter().any(|part| before.table(part).is_some_and(Table::is_partitioned));
        if partitioned_below || !before.foreign_keys_on(&table.name, key).is_empty() {
            return Err(NoInverse::because("PostgreSQL can't detach an index from that of the partitioned table"));
        }
        let drop: Operation = if is_constraint {
            DropConstraint::new(table.name.clone(), self.index.name.clone()).into()
        } else {
            DropIndex::new(self.index.clone()).into()
        };
        let mut operations = vec![drop];
        operations.extend(again(before, table, &self.index.name, true));
        for name in before.partitions(&table.name) {
            let Some(partition) = before.table(&name) else { continue };
            let parts = partition.indexes.values().filter(|index| index.parent.as_ref() == Some(&self.index.name)).map(|index| &index.name);
            let keys = partition.constraints.values().filter(|key| key.parent.as_ref() == Some(&self.index.name)).map(|key| &key.name);
            for attached in parts.chain(keys) {
                operations.extend(again(before, partition, attached, false));
                let of_constraint = partition.constraints.contains_key(attached);
                let part = name.sibling(attached.clone());
                operations.push(Self { index: self.index.clone(), part, partition: Some(name.clone()), of_constraint }.into());
            }
            if name.schema == self.part.schema && owner(before, &self.part).is_some_and(|owner| owner.name == name) {
                operations.extend(again(before, partition, &self.part.name, false));
            }
        }
        Ok(operations)
    }

    fn render(&self) -> Vec<String> {
        vec![format!("alter index {} attach partition {}", self.index.quoted(), self.part.quoted())]
    }
}

/// What makes an index or a constraint again, as the part of nothing.
fn again(before: &Schema, table: &Table, name: &Name, only: bool) -> Option<Operation> {
    if let Some(index) = table.indexes.get(name) {
        let index = Index { only, parent: None, ..index.clone() };
        let created: CreateIndex = create_index::recreate(&table.name, create_index::used_columns(table, &index), &index, false);
        return Some(created.into());
    }
    AddConstraint::again(before, &table.name, name).map(|again| AddConstraint { only, ..again }.into())
}

#[cfg(feature = "parser")]
mod lower {
    use super::AttachIndex;
    use crate::lower::syntax;
    use squawk_syntax::ast;

    impl AttachIndex {
        /// `None` for the other actions of `alter index`.
        pub(crate) fn lower(statement: &ast::AlterIndex) -> Option<Self> {
            let Some(ast::AlterIndexAction::AttachIndexPartition(action)) = statement.action() else { return None };
            let index = syntax::path_ref(&statement.index_ref()?.path_ref()?)?;
            let part = syntax::path_ref(&action.index_ref()?.path_ref()?)?;
            Some(Self { index, part, partition: None, of_constraint: false })
        }
    }
}
