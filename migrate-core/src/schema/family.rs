//! Partitions and inheriting tables: who comes from whom, and what a change of the parent does to its children.

use super::operator_class::significant;
use super::{Column, Constraint, ConstraintKind, Index, IndexKeyKind, Schema, Table, Tie};
use crate::expression::Sameness;
use crate::name::{Name, QualifiedName};
use crate::naming;

impl Table {
    /// The tables that its columns come from.
    pub fn parents(&self) -> impl Iterator<Item = &QualifiedName> {
        self.partition.iter().map(|partition| &partition.of).chain(&self.inherits)
    }
}

impl Schema {
    /// The partitions of a table and the tables that inherit from it, without theirs.
    #[must_use]
    pub fn children(&self, table: &QualifiedName) -> Vec<QualifiedName> {
        self.tables_that(&Tie::Parent(table.clone())).map(|child| child.name.clone()).collect()
    }

    /// The children of a table with theirs, each after its parent.
    #[must_use]
    pub fn descendants(&self, table: &QualifiedName) -> Vec<QualifiedName> {
        let mut found = self.children(table);
        let mut seen = 0;
        while let Some(child) = found.get(seen).cloned() {
            for grandchild in self.children(&child) {
                if !found.contains(&grandchild) && grandchild != *table {
                    found.push(grandchild);
                }
            }
            seen += 1;
        }
        found
    }

    /// The parent of `table` that has the column, too.
    #[must_use]
    pub fn parent_with_column(&self, table: &QualifiedName, column: &str) -> Option<&QualifiedName> {
        self.table(table)?.parents().find(|parent| self.column(parent, column).is_some())
    }

    /// The parent of `table` that hands the constraint down to it.
    #[must_use]
    pub fn parent_with_constraint(&self, table: &QualifiedName, name: &str) -> Option<&QualifiedName> {
        let table = self.table(table)?;
        let constraint = table.constraints.get(name)?;
        if constraint.parent.is_some() {
            return table.partition.as_ref().map(|partition| &partition.of);
        }
        let hands_down = |parent: &&QualifiedName| {
            let same = self.table(parent).and_then(|parent| parent.constraints.get(name));
            same.is_some_and(|constraint| matches!(constraint.kind, ConstraintKind::Check { no_inherit: false, .. }))
        };
        table.parents().find(hands_down)
    }

    /// Adds a column to a table and its descendants. A child that has a column of that name keeps it, as its parent's too.
    pub fn add_column(&mut self, table: &QualifiedName, column: Column) {
        let children = self.children(table);
        let name = column.name.clone();
        let handed_down = Column { identity: None, comment: None, local: false, ..column.clone() };
        let Some(owner) = self.tables.get_mut(table) else { return };
        if owner.column(name.as_str()).is_none() {
            owner.columns.push(column);
        }
        for child in children {
            if self.column(&child, name.as_str()).is_none() {
                self.add_column(&child, handed_down.clone());
            }
        }
    }

    /// Drops a column of a table, and of those descendants that have it from there alone. With `only`, they keep it.
    pub fn remove_column(&mut self, table: &QualifiedName, column: &str, only: bool) {
        let Some(owner) = self.tables.get_mut(table) else { return };
        let lost: Vec<Name> = owner.indexes.values().filter(|index| index.involves(column)).map(|index| index.name.clone()).collect();
        let broken = owner.constraints.values().filter(|constraint| constraint.kind.involves(column));
        let broken: Vec<Name> = broken.map(|constraint| constraint.name.clone()).collect();
        owner.columns.retain(|other| other.name.as_str() != column);
        owner.access.remove_column(column);
        for index in &lost {
            self.remove_index(table, index);
        }
        for constraint in &broken {
            self.remove_constraint(table, constraint, false);
        }
        let of_column = |it: &(QualifiedName, Name)| it.0 == *table && it.1.as_str() == column;
        self.sequences.retain(|_, sequence| !sequence.owned_by.as_ref().is_some_and(of_column));
        for child in self.children(table) {
            let orphaned = self.parent_with_column(&child, column).is_none();
            let Some(inherited) = self.tables.get_mut(&child).and_then(|child| child.column_mut(column)) else { continue };
            if only {
                inherited.local = true;
            } else if orphaned && !inherited.local {
                self.remove_column(&child, column, false);
            }
        }
    }

    /// Adds a constraint to a table and, unless `only`, to the descendants that PostgreSQL adds it to: checks to all of them,
    /// keys to partitions. What a child has already becomes its parent's, too.
    pub fn add_constraint(&mut self, table: &QualifiedName, constraint: Constraint, only: bool) {
        let Some(owner) = self.tables.get_mut(table) else { return };
        if let ConstraintKind::PrimaryKey(key) = &constraint.kind {
            for column in owner.columns.iter_mut().filter(|column| key.columns.contains(&column.name)) {
                column.not_null = true;
            }
        }
        owner.constraints.entry(constraint.name.clone()).or_insert_with(|| constraint.clone());
        if only {
            return;
        }
        if let ConstraintKind::PrimaryKey(key) = &constraint.kind {
            for below in self.descendants(table) {
                let columns = self.tables.get_mut(&below).into_iter().flat_map(|table| &mut table.columns);
                columns.filter(|column| key.columns.contains(&column.name)).for_each(|column| column.not_null = true);
            }
        }
        for child in self.children(table) {
            self.hand_down(&child, &constraint);
        }
    }

    /// Gives a child the constraint of its parent.
    fn hand_down(&mut self, child: &QualifiedName, constraint: &Constraint) {
        if let ConstraintKind::Check { no_inherit, .. } = constraint.kind {
            let has_it = self.table(child).is_some_and(|child| child.constraints.contains_key(&constraint.name));
            if !no_inherit && !has_it {
                self.add_constraint(child, Constraint { local: false, comment: None, ..constraint.clone() }, false);
            }
            return;
        }
        let Some(partition) = self.tables.get_mut(child).filter(|child| child.partition.is_some()) else { return };
        let fits = |own: &&mut Constraint| own.parent.is_none() && is_part(own, constraint);
        if let Some(own) = partition.constraints.values_mut().find(fits) {
            (own.parent, own.local) = (Some(constraint.name.clone()), false);
            return;
        }
        let partition = partition.clone();
        let keeps_name = matches!(constraint.kind, ConstraintKind::ForeignKey(_)) && !partition.constraints.contains_key(&constraint.name);
        let name = if keeps_name {
            constraint.name.clone()
        } else {
            naming::partition_constraint(self, child, &partition.columns, &constraint.kind)
        };
        let parent = Some(constraint.name.clone());
        self.add_constraint(child, Constraint { name, local: false, parent, comment: None, ..constraint.clone() }, false);
    }

    /// Takes a constraint from a table, and from those descendants that have it from there alone. With `only`, they keep it.
    pub fn remove_constraint(&mut self, table: &QualifiedName, name: &Name, only: bool) {
        let Some(removed) = self.tables.get_mut(table).and_then(|table| table.constraints.shift_remove(name)) else { return };
        let check = matches!(removed.kind, ConstraintKind::Check { .. });
        for child in self.children(table) {
            let Some(table) = self.tables.get(&child) else { continue };
            if check {
                let orphaned = self.parent_with_constraint(&child, name.as_str()).is_none();
                let Some(inherited) = self.tables.get_mut(&child).and_then(|child| child.constraints.get_mut(name)) else { continue };
                if only {
                    inherited.local = true;
                } else if orphaned && !inherited.local {
                    self.remove_constraint(&child, name, false);
                }
            } else if let Some(part) = table.constraints.values().find(|part| part.parent.as_ref() == Some(name)) {
                let part = part.name.clone();
                self.remove_constraint(&child, &part, false);
            }
        }
    }

    /// Adds an index to a relation and, unless it is on `only` it, to the partitions below: there one that is like it becomes
    /// its part.
    pub fn add_index(&mut self, relation: &QualifiedName, index: &Index) {
        let Some(indexes) = self.indexes_mut(relation) else { return };
        indexes.insert(index.name.clone(), index.clone());
        if index.only {
            return;
        }
        for partition in self.partitions(relation) {
            self.hand_index_down(&partition, index);
        }
    }

    /// The partitions of a table, without theirs.
    #[must_use]
    pub fn partitions(&self, table: &QualifiedName) -> Vec<QualifiedName> {
        let is_part = |child: &&Table| child.partition.as_ref().is_some_and(|partition| partition.of == *table);
        self.tables_that(&Tie::Parent(table.clone())).filter(is_part).map(|child| child.name.clone()).collect()
    }

    /// The partition for the rows that fit into no other.
    #[must_use]
    pub fn default_partition(&self, table: &QualifiedName) -> Option<&QualifiedName> {
        let is_default = |child: &&Table| {
            child
                .partition
                .as_ref()
                .is_some_and(|partition| partition.of == *table && partition.bound.sql().eq_ignore_ascii_case("default"))
        };
        self.tables_that(&Tie::Parent(table.clone())).find(is_default).map(|child| &child.name)
    }

    /// Gives a partition the index of its parent.
    fn hand_index_down(&mut self, partition: &QualifiedName, index: &Index) {
        let parent = Some(index.name.clone());
        let Some(table) = self.tables.get_mut(partition) else { return };
        let columns = table.columns.clone();
        let fits = |own: &&mut Index| own.parent.is_none() && own.valid && is_like(own, index, &columns);
        if let Some(own) = table.indexes.values_mut().find(fits) {
            own.parent = parent;
            return;
        }
        let name = naming::index(self, partition, &index.keys, &index.include);
        self.add_index(partition, &Index { name, parent, only: false, comment: None, ..index.clone() });
    }

    /// Takes an index from a relation, and its parts from the partitions below.
    pub fn remove_index(&mut self, relation: &QualifiedName, name: &Name) {
        let Some(indexes) = self.indexes_mut(relation) else { return };
        if indexes.shift_remove(name).is_none() {
            return;
        }
        for partition in self.partitions(relation) {
            let Some(table) = self.tables.get(&partition) else { continue };
            let index = table.indexes.values().find(|index| index.parent.as_ref() == Some(name)).map(|index| index.name.clone());
            let key = table.constraints.values().find(|key| key.parent.as_ref() == Some(name)).map(|key| key.name.clone());
            if let Some(index) = &index {
                self.remove_index(&partition, index);
            }
            if let Some(key) = &key {
                self.remove_constraint(&partition, key, false);
            }
        }
    }

    /// Lets the parts of an index, or of the constraint behind it, know its new name.
    pub fn follow_index_rename(&mut self, table: &QualifiedName, from: &Name, to: &Name) {
        for partition in self.partitions(table) {
            let Some(table) = self.tables.get_mut(&partition) else { continue };
            let indexes = table.indexes.values_mut().map(|index| &mut index.parent);
            let constraints = table.constraints.values_mut().map(|constraint| &mut constraint.parent);
            for parent in indexes.chain(constraints).filter(|parent| parent.as_ref() == Some(from)) {
                *parent = Some(to.clone());
            }
        }
    }

    /// Makes what a table has in common with its new parent its parent's, and gives it what the parent has besides.
    pub fn adopt(&mut self, child: &QualifiedName, parent: &QualifiedName) {
        let Some(parent) = self.table(parent).cloned() else { return };
        let Some(table) = self.tables.get_mut(child) else { return };
        if table.partition.is_some() {
            for column in table.columns.iter_mut().filter(|column| parent.column(column.name.as_str()).is_some()) {
                column.local = false;
            }
            for constraint in parent.constraints.values() {
                let own = table.constraints.get_mut(&constraint.name);
                if let Some(own) = own.filter(|own| {
                    matches!((&own.kind, &constraint.kind), (ConstraintKind::Check { .. }, ConstraintKind::Check { no_inherit: false, .. }))
                }) {
                    own.local = false;
                }
            }
        }
        let is_partition = self.table(child).is_some_and(|table| table.partition.is_some());
        for index in parent.indexes.values().filter(|_| is_partition) {
            self.hand_index_down(child, index);
        }
        for constraint in parent.constraints.values() {
            self.hand_down(child, constraint);
        }
    }

    /// Makes a table independent of a parent that it has no longer: everything that it had from there is its own.
    pub fn release(&mut self, child: &QualifiedName) {
        let Some(table) = self.table(child) else { return };
        let still = |name: &str| self.parent_with_column(child, name).is_some();
        let columns: Vec<Name> = table.columns.iter().filter(|column| !still(column.name.as_str())).map(|it| it.name.clone()).collect();
        let is_partition = table.partition.is_some();
        let own = |name: &Name| is_partition || self.parent_with_constraint(child, name.as_str()).is_none();
        let checks: Vec<Name> =
            table.constraints.values().filter(|it| it.parent.is_none() && own(&it.name)).map(|it| it.name.clone()).collect();
        let Some(table) = self.tables.get_mut(child) else { return };
        for column in table.columns.iter_mut().filter(|column| columns.contains(&column.name)) {
            column.local = true;
        }
        for constraint in table.constraints.values_mut() {
            if (!is_partition && constraint.parent.take().is_some()) || checks.contains(&constraint.name) {
                constraint.local = true;
            }
        }
        if !is_partition {
            table.indexes.values_mut().for_each(|index| index.parent = None);
        }
    }
}

/// Whether a constraint of a partition can be the part of its parent's.
fn is_part(own: &Constraint, parent: &Constraint) -> bool {
    let same = match (&own.kind, &parent.kind) {
        (ConstraintKind::PrimaryKey(own), ConstraintKind::PrimaryKey(parent))
        | (ConstraintKind::Unique(own), ConstraintKind::Unique(parent)) => {
            own.columns == parent.columns && own.include == parent.include && own.nulls_not_distinct == parent.nulls_not_distinct
        }
        (ConstraintKind::ForeignKey(own), ConstraintKind::ForeignKey(parent)) => own == parent,
        (ConstraintKind::Exclude { definition: own }, ConstraintKind::Exclude { definition: parent }) => {
            own.compare(parent) == Sameness::Equal
        }
        _ => false,
    };
    same && own.deferral == parent.deferral
}

/// Whether an index of a partition can be the part of its parent's: `CompareIndexInfo` of PostgreSQL's
/// `src/backend/catalog/index.c`, which takes no notice of the order of values.
fn is_like(own: &Index, parent: &Index, columns: &[Column]) -> bool {
    let collation = |index: &Index, i: usize| {
        let key = &index.keys[i];
        let of_column = match &key.kind {
            IndexKeyKind::Column(name) => columns.iter().find(|column| column.name == *name).and_then(|column| column.collation.clone()),
            IndexKeyKind::Expression(_) => None,
        };
        key.collation.clone().or(of_column).unwrap_or_else(|| "default".to_owned())
    };
    let class = |index: &Index, i: usize| {
        index.keys[i].operator_class.as_ref().and_then(|class| significant(&index.method, class)).map(ToString::to_string)
    };
    let same_key = |i: usize| {
        let kind = match (&own.keys[i].kind, &parent.keys[i].kind) {
            (IndexKeyKind::Column(own), IndexKeyKind::Column(parent)) => own == parent,
            (IndexKeyKind::Expression(own), IndexKeyKind::Expression(parent)) => own.compare(parent) == Sameness::Equal,
            _ => false,
        };
        kind && collation(own, i) == collation(parent, i) && class(own, i) == class(parent, i)
    };
    let predicate = match (&own.predicate, &parent.predicate) {
        (None, None) => true,
        (Some(own), Some(parent)) => own.compare(parent) == Sameness::Equal,
        _ => false,
    };
    own.unique == parent.unique
        && own.method == parent.method
        && own.nulls_not_distinct == parent.nulls_not_distinct
        && own.include == parent.include
        && own.keys.len() == parent.keys.len()
        && (0..own.keys.len()).all(same_key)
        && predicate
}
