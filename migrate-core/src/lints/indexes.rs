//! What the indexes of a table are good for.

use crate::expression::{Expression, Token, tokens};
use crate::name::Name;
use crate::schema::{ConstraintKind, Index, IndexKey, IndexKeyKind, Table};

/// An index as far as searching goes: one of its own, or that of a constraint.
#[derive(Clone, Debug)]
pub(super) struct Access<'a> {
    /// The index's or the constraint's.
    pub(super) name: &'a Name,
    /// `None` for that of a constraint.
    pub(super) index: Option<&'a Index>,
    /// Whether it makes its columns unique.
    pub(super) unique: bool,
    columns: Vec<IndexKey>,
}

/// All indexes of a table that are valid, those of primary keys and unique constraints too.
pub(super) fn of_table(table: &Table) -> Vec<Access<'_>> {
    let constraints = table.constraints.values().filter_map(|constraint| match &constraint.kind {
        ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => {
            let columns = key.columns.iter().map(plain).collect();
            Some(Access { name: &constraint.name, index: None, unique: true, columns })
        }
        _ => None,
    });
    let indexes = table.indexes.values().filter(|index| index.valid);
    let indexes = indexes.map(|index| Access { name: &index.name, index: Some(index), unique: index.unique, columns: index.keys.clone() });
    constraints.chain(indexes).collect()
}

fn plain(column: &Name) -> IndexKey {
    let kind = IndexKeyKind::Column(column.clone());
    IndexKey { kind, collation: None, operator_class: None, descending: false, nulls_first: false }
}

impl Access<'_> {
    fn method(&self) -> &str {
        self.index.map_or("btree", |index| index.method.as_str())
    }

    /// Whether both are of one method and hold the same rows, and nothing but keys.
    fn is_like(&self, other: &Self) -> bool {
        let predicate = |access: &Self| access.index.and_then(|index| index.predicate.clone());
        let includes = |access: &Self| access.index.is_some_and(|index| !index.include.is_empty());
        self.method() == other.method() && predicate(self) == predicate(other) && !includes(self)
    }

    /// Whether both have the same keys in the same order.
    pub(super) fn equals(&self, other: &Self) -> bool {
        self.is_like(other) && other.is_like(self) && self.columns == other.columns
    }

    /// Whether the other has all keys of this one first, and more behind them.
    pub(super) fn is_prefix_of(&self, other: &Self) -> bool {
        self.is_like(other)
            && self.method() == "btree"
            && self.columns.len() < other.columns.len()
            && other.columns.starts_with(&self.columns)
    }
}

/// Whether an index begins with these columns, in whatever order.
pub(super) fn begins_with(table: &Table, columns: &[Name]) -> bool {
    let column = |key: &IndexKey| match &key.kind {
        IndexKeyKind::Column(name) => columns.contains(name),
        IndexKeyKind::Expression(_) => false,
    };
    let begins = |access: &Access<'_>| access.columns.get(..columns.len()).is_some_and(|first| first.iter().all(column));
    let all_rows = |index: &Index| index.predicate.as_ref().is_none_or(|predicate| leaves_out_nulls(predicate, columns));
    let whole = |access: &Access<'_>| access.index.is_none_or(|index| all_rows(index) && is_ordered(index));
    !columns.is_empty() && of_table(table).iter().any(|access| whole(access) && begins(access))
}

/// `owner_id is not null`: no value that is looked for is left out.
fn leaves_out_nulls(predicate: &Expression, columns: &[Name]) -> bool {
    let words: Vec<Token> =
        tokens(predicate.sql()).into_iter().map(|(token, _)| token).filter(|token| !token.is("(") && !token.is(")")).collect();
    match words.as_slice() {
        [Token::Word(column) | Token::Quoted(column), is, not, null] => {
            is.is_word("is") && not.is_word("not") && null.is_word("null") && columns.iter().any(|name| name == column.as_str())
        }
        _ => false,
    }
}

/// Whether the method finds single values.
fn is_ordered(index: &Index) -> bool {
    matches!(index.method.as_str(), "btree" | "hash" | "gist" | "spgist" | "bloom")
}

/// Whether something makes the rows unique by these columns, or by fewer of them.
pub(super) fn is_unique(table: &Table, columns: &[Name]) -> bool {
    let within =
        |access: &Access<'_>| access.columns.iter().all(|key| matches!(&key.kind, IndexKeyKind::Column(name) if columns.contains(name)));
    of_table(table).iter().any(|access| access.unique && access.index.is_none_or(|index| index.predicate.is_none()) && within(access))
}
