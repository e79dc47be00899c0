//! What foreign keys rest on: the unique keys of a table, and who needs which.

use super::{Constraint, ConstraintKind, Deferral, IndexKeyKind, Schema, Table, Tie};
use crate::name::{Name, QualifiedName};

/// What guarantees that the values of some columns are unique, so that a foreign key may point to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UniqueKey<'a> {
    /// A primary key or a unique constraint.
    Constraint(&'a Name),
    /// A unique index without a constraint.
    Index(&'a Name),
}

impl Table {
    /// Everything that makes exactly these columns unique, in whatever order it names them. PostgreSQL accepts neither
    /// deferrable constraints nor partial indexes as the target of a foreign key.
    #[must_use]
    pub fn unique_keys(&self, columns: &[Name]) -> Vec<UniqueKey<'_>> {
        let constraints = self.constraints.values().filter_map(|constraint| match &constraint.kind {
            ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => {
                let usable = constraint.deferral == Deferral::No && same_columns(key.columns.iter(), columns);
                usable.then_some(UniqueKey::Constraint(&constraint.name))
            }
            _ => None,
        });
        let indexes = self.indexes.values().filter_map(|index| {
            let keys: Option<Vec<&Name>> = index
                .keys
                .iter()
                .map(|key| match &key.kind {
                    IndexKeyKind::Column(name) => Some(name),
                    IndexKeyKind::Expression(_) => None,
                })
                .collect();
            let usable = index.unique && index.valid && index.predicate.is_none() && same_columns(keys?.into_iter(), columns);
            usable.then_some(UniqueKey::Index(&index.name))
        });
        constraints.chain(indexes).collect()
    }

    /// A deferrable primary key or unique constraint on exactly these columns.
    #[must_use]
    pub fn deferrable_key(&self, columns: &[Name]) -> Option<&Constraint> {
        self.constraints.values().find(|constraint| match &constraint.kind {
            ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => {
                constraint.deferral != Deferral::No && same_columns(key.columns.iter(), columns)
            }
            _ => false,
        })
    }
}

fn same_columns<'a>(key: impl ExactSizeIterator<Item = &'a Name>, columns: &[Name]) -> bool {
    key.len() == columns.len() && key.into_iter().all(|name| columns.contains(name))
}

impl Schema {
    /// The foreign keys that can't be without `key` of `table`, with their tables. Where something else makes the same
    /// columns unique, too, PostgreSQL chose one of them and the model doesn't know which: then it is none.
    #[must_use]
    pub fn foreign_keys_on(&self, table: &QualifiedName, key: UniqueKey<'_>) -> Vec<(QualifiedName, Name)> {
        let Some(target) = self.table(table) else { return Vec::new() };
        let rests_on_key = |constraint: &&Constraint| match &constraint.kind {
            ConstraintKind::ForeignKey(foreign) => foreign.references == *table && target.unique_keys(&foreign.referenced_columns) == [key],
            _ => false,
        };
        let of_table = |other: &Table| {
            let keys = other.constraints.values().filter(rests_on_key);
            keys.map(|constraint| (other.name.clone(), constraint.name.clone())).collect::<Vec<_>>()
        };
        self.tables_that(&Tie::ForeignKey(table.clone())).flat_map(of_table).collect()
    }

    /// The foreign keys of other tables that point to this one.
    #[must_use]
    pub fn foreign_keys_to_table(&self, target: &QualifiedName) -> Vec<(QualifiedName, Name)> {
        let others = self.tables_that(&Tie::ForeignKey(target.clone())).filter(|table| table.name != *target);
        let points = |constraint: &&Constraint| matches!(&constraint.kind, ConstraintKind::ForeignKey(key) if key.references == *target);
        let of_table = |table: &Table| {
            let keys = table.constraints.values().filter(points);
            keys.map(|constraint| (table.name.clone(), constraint.name.clone())).collect::<Vec<_>>()
        };
        others.flat_map(of_table).collect()
    }

    /// The foreign keys that point to a column, without those of the column itself, which fall with it.
    #[must_use]
    pub fn foreign_keys_to_column(&self, table: &QualifiedName, column: &str) -> Vec<(QualifiedName, Name)> {
        let of_table = |other: &Table| {
            let points = |constraint: &&Constraint| match &constraint.kind {
                ConstraintKind::ForeignKey(key) => {
                    let own = other.name == *table && constraint.kind.involves(column);
                    key.references == *table && key.referenced_columns.iter().any(|name| *name == column) && !own
                }
                _ => false,
            };
            let keys = other.constraints.values().filter(points);
            keys.map(|constraint| (other.name.clone(), constraint.name.clone())).collect::<Vec<_>>()
        };
        self.tables_that(&Tie::ForeignKey(table.clone())).flat_map(of_table).collect()
    }

    /// The table whose constraint keeps an index of this name.
    #[must_use]
    pub fn table_of_constraint_index(&self, index: &QualifiedName) -> Option<&Table> {
        self.tables_that(&Tie::Part(index.clone())).find(|table| {
            let constraint = table.constraints.get(index.name.as_str());
            constraint.is_some_and(|constraint| constraint.kind.has_index())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Key;

    fn constraint(name: &str, kind: ConstraintKind) -> Constraint {
        Constraint::new(Name::new(name), kind)
    }

    fn unique(name: &str, columns: &[&str]) -> Constraint {
        let columns = columns.iter().map(|column| Name::new(*column)).collect();
        constraint(name, ConstraintKind::Unique(Key { columns, ..Key::default() }))
    }

    #[test]
    fn keys_are_found_in_any_order_of_columns() {
        let mut table = Table::new(QualifiedName::public("t"));
        for key in [unique("ab", &["a", "b"]), unique("a", &["a"])] {
            table.constraints.insert(key.name.clone(), key);
        }
        let name = Name::new("ab");
        assert_eq!(table.unique_keys(&[Name::new("b"), Name::new("a")]), [UniqueKey::Constraint(&name)]);
        assert_eq!(table.unique_keys(&[Name::new("b")]), []);
    }

    #[test]
    fn a_deferrable_key_is_no_target() {
        let mut table = Table::new(QualifiedName::public("t"));
        let key = Constraint { deferral: Deferral::Immediate, ..unique("a", &["a"]) };
        table.constraints.insert(key.name.clone(), key);
        assert_eq!(table.unique_keys(&[Name::new("a")]), []);
        assert!(table.deferrable_key(&[Name::new("a")]).is_some());
    }
}
