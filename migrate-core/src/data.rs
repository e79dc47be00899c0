//! What a statement that reads or writes data names: columns, values of enums, rows.
//!
//! Only a statement that was just parsed has this. It is checked where the model is certain: a name that may come from a
//! function, a common table expression, a subquery or a relation of unknown columns is never called unknown.

mod check;

use crate::name::{At, Name, QualifiedName};

/// The names of one statement.
#[derive(Clone, Debug, Default)]
pub struct Data {
    /// Columns that are read, by whatever part of the statement.
    pub mentions: Vec<Mention>,
    /// Columns that an `update` sets.
    pub assignments: Vec<Assignment>,
    /// Every `insert`.
    pub inserts: Vec<Insert>,
    /// Strings that are cast to a type.
    pub casts: Vec<(QualifiedName, Name)>,
}

/// It is known right after parsing only, so it makes no difference between statements.
impl PartialEq for Data {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for Data {}

/// A column that is read.
#[derive(Clone, Debug)]
pub struct Mention {
    /// The table or alias that it is qualified with, and its schema.
    pub qualifier: Option<(Option<Name>, Name)>,
    /// The column.
    pub column: Name,
    /// What it may be a column of: the sources of each query around it, the innermost first.
    pub scopes: Vec<Vec<Source>>,
    /// The strings that it is compared with.
    pub compared_with: Vec<Name>,
}

/// Something that a query reads rows from.
#[derive(Clone, Debug)]
pub struct Source {
    /// What its columns are qualified with.
    pub called: Name,
    /// The relation; `None` for anything whose columns aren't a relation's.
    pub relation: Option<QualifiedName>,
}

/// `set column = value`.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The table that is updated.
    pub table: QualifiedName,
    /// The column.
    pub column: Name,
    /// What it is set to.
    pub value: Value,
}

/// A value, as far as it can be checked.
#[derive(Clone, Debug)]
pub enum Value {
    /// `null`.
    Null(At),
    /// `default`.
    Default,
    /// A string.
    String(Name),
    /// Anything else.
    Other,
}

/// `insert into`.
#[derive(Clone, Debug)]
pub struct Insert {
    /// The table.
    pub table: QualifiedName,
    /// The columns, where they are written, and whether a part of each is meant: `(address.street)`.
    pub columns: Option<Vec<(Name, bool)>>,
    /// Where its rows come from.
    pub rows: Rows,
}

/// Where the rows of an `insert` come from.
#[derive(Clone, Debug)]
pub enum Rows {
    /// `values (…), (…)`: each row with its place.
    Values(Vec<(At, Vec<Value>)>),
    /// A query with so many results, where the text tells.
    Query(Option<(At, usize)>),
    /// `default values`.
    Default,
}
