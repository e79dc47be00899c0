//! The keys of a table by which all of its rows can be walked along, in their order, with an index.

use super::{ConstraintKind, Deferral, Index, IndexKeyKind, Table};
use crate::name::Name;

impl Table {
    /// The columns of each key that no two rows share, that no row lacks, and that nothing is computed for: the primary key
    /// first, then the shortest. The engine chooses by the same rules in the live catalog.
    #[must_use]
    pub fn walkable_keys(&self) -> Vec<Vec<Name>> {
        let never_null = |column: &Name| self.column(column.as_str()).is_some_and(|column| column.not_null);
        // what it is computed from may change on the way
        let is_written = |column: &Name| self.column(column.as_str()).is_none_or(|column| column.generated.is_none());
        let constraints = self.constraints.values().filter(|constraint| constraint.deferral == Deferral::No);
        let unique = constraints.clone().filter_map(|constraint| match &constraint.kind {
            ConstraintKind::Unique(key) => Some((&constraint.name, key.columns.clone())),
            _ => None,
        });
        let indexes = self.indexes.values().filter_map(|index| Some((&index.name, columns(index)?)));
        let mut others: Vec<(&Name, Vec<Name>)> = unique.chain(indexes).filter(|(_, key)| key.iter().all(never_null)).collect();
        others.sort_by(|left, right| (left.1.len(), left.0.as_str()).cmp(&(right.1.len(), right.0.as_str())));
        let primary = constraints.filter_map(|constraint| match &constraint.kind {
            ConstraintKind::PrimaryKey(key) => Some(key.columns.clone()),
            _ => None,
        });
        primary.chain(others.into_iter().map(|(_, key)| key)).filter(|key| key.iter().all(is_written)).collect()
    }
}

/// The columns of a unique index that has every row, in the order in which its rows are sorted by default, or the reverse.
fn columns(index: &Index) -> Option<Vec<Name>> {
    if !index.unique || !index.valid || index.only || index.predicate.is_some() || index.method != "btree" {
        return None;
    }
    let descending = index.keys.first()?.descending;
    let column = |key: &super::IndexKey| match &key.kind {
        IndexKeyKind::Column(name) => {
            let plain = key.collation.is_none() && key.operator_class.is_none();
            (plain && key.descending == descending && key.nulls_first == descending).then(|| name.clone())
        }
        IndexKeyKind::Expression(_) => None,
    };
    index.keys.iter().map(column).collect()
}
