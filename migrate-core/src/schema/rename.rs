//! What follows when a table or a column gets another name: PostgreSQL refers to both by number.

use super::constraint::rename_in;
use super::{ConstraintKind, ForeignKey, Origin, OtherKind, Schema, Sequence, Tie};
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
        self.each_foreign_key_to(from, |key| key.references = to.clone());
        self.follow_relation_rename(from, to);
        self.move_triggers(from, to);
        for child in self.children(from) {
            let Some(table) = self.tables.get_mut(&child) else { continue };
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

    /// Gives the schema another name, and everything in it. The answer says whether it was there, and the name free.
    pub fn rename_schema(&mut self, from: &Name, to: &Name, origin: &Origin) -> bool {
        if self.schemas.contains_key(to) {
            return false;
        }
        let Some(own) = self.schemas.remove(from) else { return false };
        self.schemas.insert(to.clone(), own);
        let moved = |name: &QualifiedName| QualifiedName { schema: to.clone(), name: name.name.clone() };
        let inside = |name: &&QualifiedName| name.schema == *from;
        let types = self.enums.keys().chain(self.domains.keys()).chain(self.composites.keys());
        let others = |schema: &Self, kind: OtherKind| -> Vec<QualifiedName> {
            let of_kind = schema.others.iter().filter(|(_, other)| other.kind == kind);
            of_kind.map(|(name, _)| name).filter(inside).cloned().collect()
        };
        for name in types.filter(inside).cloned().chain(others(self, OtherKind::Type)).collect::<Vec<_>>() {
            self.move_type(&name, &moved(&name), origin);
        }
        for name in self.tables.keys().filter(inside).cloned().chain(others(self, OtherKind::Relation)).collect::<Vec<_>>() {
            self.move_table(&name, &moved(&name));
        }
        for name in self.views.keys().filter(inside).cloned().collect::<Vec<_>>() {
            if let Some(view) = self.views.remove(&name) {
                self.views.insert(moved(&name), view);
                self.follow_relation_rename(&name, &moved(&name));
                self.move_triggers(&name, &moved(&name));
            }
        }
        for name in self.sequences.keys().filter(inside).cloned().collect::<Vec<_>>() {
            if let Some(sequence) = self.sequences.remove(&name) {
                self.sequences.insert(moved(&name), sequence);
                self.follow_sequence_rename(&name, &moved(&name));
            }
        }
        for signature in self.routines.keys().filter(|signature| signature.name.schema == *from).cloned().collect::<Vec<_>>() {
            self.move_routine(&signature, &moved(&signature.name));
        }
        let (inside, outside) = std::mem::take(&mut self.other_routines).into_iter().partition::<Vec<_>, _>(|name| name.schema == *from);
        self.other_routines = outside.into_iter().chain(inside.iter().map(moved)).collect();
        for extension in self.extensions.values_mut().filter(|extension| extension.schema.as_ref() == Some(from)) {
            extension.schema = Some(to.clone());
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
        self.each_foreign_key_to(table, |key| {
            rename_in(&mut key.referenced_columns, from.as_str(), to);
        });
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
        let reading = self.views_that(&Tie::Reads(table.clone())).filter(|(_, view)| view.query.query_reads(table, column, &has_column));
        reading.map(|(name, _)| name.clone()).collect()
    }

    fn rename_column_in_views(&mut self, table: &QualifiedName, from: &Name, to: &Name) {
        let has_column = |relation: &QualifiedName, column: &str| self.has_column(relation, column);
        let renamed = self.views_that(&Tie::Reads(table.clone())).map(|(name, view)| {
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

    fn each_foreign_key_to(&mut self, references: &QualifiedName, mut change: impl FnMut(&mut ForeignKey)) {
        let tables: Vec<QualifiedName> = self.tables_that(&Tie::ForeignKey(references.clone())).map(|table| table.name.clone()).collect();
        for table in tables {
            let constraints = self.tables.get_mut(&table).into_iter().flat_map(|table| table.constraints.values_mut());
            for constraint in constraints {
                match &mut constraint.kind {
                    ConstraintKind::ForeignKey(key) if key.references == *references => change(key),
                    _ => {}
                }
            }
        }
    }
}
