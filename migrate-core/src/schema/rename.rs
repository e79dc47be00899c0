//! What follows when a table or a column gets another name: PostgreSQL refers to both by number.

use super::constraint::rename_in;
use super::{ConstraintKind, ForeignKey, Schema};
use crate::expression::Expression;
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
                    self.others.insert(to.clone(), other).is_none()
                }
                None => false,
            };
        };
        table.name = to.clone();
        self.tables.insert(to.clone(), table);
        for key in self.foreign_keys_mut().filter(|key| key.references == *from) {
            key.references = to.clone();
        }
        self.follow_relation_rename(from, to);
        for (owner, _) in self.sequences.values_mut().filter_map(|sequence| sequence.owned_by.as_mut()) {
            if owner == from {
                *owner = to.clone();
            }
        }
        true
    }

    /// Gives the column another name, with everything that refers to it. The answer says whether it was there.
    pub fn rename_column(&mut self, table: &QualifiedName, from: &Name, to: &Name) -> bool {
        let Some(renamed) = self.tables.get_mut(table).filter(|table| table.column(from.as_str()).is_some()) else { return false };
        renamed.rename_column(from.as_str(), to);
        if renamed.options.starts_with("partition by") {
            let mut options = Expression::new(renamed.options.as_str());
            options.rename_column(from.as_str(), to);
            options.sql().clone_into(&mut renamed.options);
        }
        for key in self.foreign_keys_mut().filter(|key| key.references == *table) {
            rename_in(&mut key.referenced_columns, from.as_str(), to);
        }
        for (owner, column) in self.sequences.values_mut().filter_map(|sequence| sequence.owned_by.as_mut()) {
            if owner == table && column == from {
                *column = to.clone();
            }
        }
        true
    }

    fn foreign_keys_mut(&mut self) -> impl Iterator<Item = &mut ForeignKey> {
        self.tables.values_mut().flat_map(|table| table.constraints.values_mut()).filter_map(|constraint| match &mut constraint.kind {
            ConstraintKind::ForeignKey(key) => Some(key),
            _ => None,
        })
    }
}
