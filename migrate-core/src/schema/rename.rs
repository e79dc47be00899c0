//! What follows when a table or a column gets another name: PostgreSQL refers to both by number.

use super::constraint::rename_in;
use super::{Constraint, ConstraintKind, ForeignKey, Schema, Sequence};
use crate::name::{Name, QualifiedName};

impl Schema {
    /// Gives the table another name, in its schema or in another, with everything that refers to it. The answer says
    /// whether there was anything to rename.
    pub fn move_table(&mut self, from: &QualifiedName, to: &QualifiedName) -> bool {
        if self.tables.contains_key(to) {
            return false;
        }
        let Some(mut table) = self.tables.remove(from) else {
            return match self.others.remove(from) {
                Some(other) => {
                    for index in self.others.values_mut().filter(|index| index.of.as_ref() == Some(from)) {
                        index.of = Some(to.clone());
                    }
                    self.move_triggers(from, to);
                    self.others.insert(to.clone(), other).is_none()
                }
                None => false,
            };
        };
        table.name = to.clone();
        table.each_expression(|expression| expression.rename_qualifier(from, to));
        self.tables.insert(to.clone(), table);
        self.follow_type_rename(from, to);
        for key in self.foreign_keys_to(from) {
            key.references = to.clone();
        }
        self.follow_relation_rename(from, to);
        self.move_triggers(from, to);
        for table in self.tables.values_mut() {
            let parents = table.partition.iter_mut().map(|partition| &mut partition.of).chain(&mut table.inherits);
            parents.filter(|parent| **parent == *from).for_each(|parent| *parent = to.clone());
        }
        for (owner, _) in self.sequences.values_mut().filter_map(|sequence| sequence.owned_by.as_mut()) {
            if owner == from {
                *owner = to.clone();
            }
        }
        if from.schema != to.schema {
            self.move_owned_sequences(from, to);
        }
        true
    }

    /// The sequences that columns of the table own go with it.
    fn move_owned_sequences(&mut self, from: &QualifiedName, to: &QualifiedName) {
        let owned = self
            .sequences
            .iter()
            .filter(|(name, sequence)| name.schema == from.schema && sequence.owned_by.as_ref().is_some_and(|(owner, _)| owner == to));
        for name in owned.map(|(name, _)| name.clone()).collect::<Vec<_>>() {
            let moved = to.sibling(name.name.clone());
            if let Some(sequence) = self.sequences.remove(&name) {
                self.sequences.insert(moved.clone(), sequence);
                self.follow_sequence_rename(&name, &moved);
            }
        }
    }

    /// Gives the column another name, with everything that refers to it. The answer says whether it was there.
    pub fn rename_column(&mut self, table: &QualifiedName, from: &Name, to: &Name) -> bool {
        if self.column(table, from.as_str()).is_none() {
            return false;
        }
        self.rename_column_in_views(table, from, to);
        self.rename_column_in_triggers(table, from, to);
        self.rename_column_in_policies(table, from, to);
        let Some(renamed) = self.tables.get_mut(table) else { return false };
        renamed.rename_column(from.as_str(), to);
        for key in self.foreign_keys_to(table) {
            rename_in(&mut key.referenced_columns, from.as_str(), to);
        }
        let is_owned = |sequence: &Sequence| sequence.owned_by.as_ref().is_some_and(|(owner, column)| owner == table && column == from);
        for (_, column) in self.sequences.some_mut(is_owned).filter_map(|sequence| sequence.owned_by.as_mut()) {
            *column = to.clone();
        }
        true
    }

    /// The views that read the column by its name.
    #[must_use]
    pub fn views_reading_column(&self, table: &QualifiedName, column: &str) -> Vec<QualifiedName> {
        let has_column = |relation: &QualifiedName, column: &str| self.has_column(relation, column);
        let reading =
            self.views.iter().filter(|(_, view)| view.relations.contains(table) && view.query.query_reads(table, column, &has_column));
        reading.map(|(name, _)| name.clone()).collect()
    }

    fn rename_column_in_views(&mut self, table: &QualifiedName, from: &Name, to: &Name) {
        let has_column = |relation: &QualifiedName, column: &str| self.has_column(relation, column);
        let renamed = self.views.iter().filter(|(_, view)| view.relations.contains(table)).map(|(name, view)| {
            let mut query = view.query.clone();
            query.rename_query_column(table, from, to, &has_column);
            (name.clone(), query)
        });
        for (name, query) in renamed.collect::<Vec<_>>() {
            if let Some(view) = self.views.get_mut(&name) {
                view.query = query;
            }
        }
    }

    /// Whether a table or view has a column; `None` where its columns aren't known.
    pub(super) fn has_column(&self, relation: &QualifiedName, column: &str) -> Option<bool> {
        match self.table(relation) {
            Some(table) => Some(table.column(column).is_some()),
            None => Some(self.views.get(relation)?.output.as_ref()?.iter().any(|name| *name == column)),
        }
    }

    fn foreign_keys_to(&mut self, references: &QualifiedName) -> impl Iterator<Item = &mut ForeignKey> {
        let is_one = |constraint: &Constraint| matches!(&constraint.kind, ConstraintKind::ForeignKey(key) if key.references == *references);
        let tables = self.tables.some_mut(move |table| table.constraints.values().any(is_one));
        tables.flat_map(|table| table.constraints.values_mut()).filter_map(move |constraint| match &mut constraint.kind {
            ConstraintKind::ForeignKey(key) if key.references == *references => Some(key),
            _ => None,
        })
    }
}
