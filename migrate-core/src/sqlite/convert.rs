//! The values of a column whose type changes, when its table is built anew.
//!
//! SQLite's own casts never fail: they make 0 of `'abc'`. So a value is stored as it is, SQLite turns it into the new type
//! where nothing is lost, and a guard stops the migration where that wasn't so, as PostgreSQL would have.

use super::types::Storage;
use crate::expression::Expression;
use crate::name::{Name, quote_literal};
use crate::schema::Column;

/// What an operation says about the old values of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Conversion {
    /// `using`, in SQLite's SQL.
    Using(Expression),
    /// Labels of an enum that have another name now.
    Labels(Vec<(String, String)>),
}

/// Where the values of a new column come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// The expression over the old table.
    pub(super) expression: String,
    /// What is true of the rows of the new table whose value couldn't be converted, and what to say then.
    pub(super) guard: Option<(String, String)>,
}

/// The values of `to`, where `from` is the same column before.
pub(super) fn source(table: &Name, from: &Column, to: &Column, conversion: Option<&Conversion>) -> Source {
    let name = from.name.quoted();
    let storages = (Storage::of_projected(&from.data_type), Storage::of_projected(&to.data_type));
    let (expression, using) = match conversion {
        Some(Conversion::Using(expression)) => (expression.sql().to_owned(), true),
        Some(Conversion::Labels(labels)) => (renamed(&name, labels), false),
        None => (value(&name, storages), false),
    };
    let changes = from.data_type != to.data_type || using;
    let guard = storages.1.filter(|_| changes).map(|storage| {
        let message = format!("column {table}.{} holds values that can't be made {}", to.name, storage.sql());
        (misfit(&to.name.quoted(), storage), message)
    });
    Source { expression, guard }
}

/// A value of one storage as the nearest of another, where PostgreSQL casts otherwise than SQLite stores.
fn value(name: &str, storages: (Option<Storage>, Option<Storage>)) -> String {
    let (Some(from), Some(to)) = storages else { return name.to_owned() };
    match (from, to) {
        (Storage::Real | Storage::Numeric, Storage::Integer) => {
            format!("case when typeof({name}) in ('real', 'integer') then cast(round({name}) as integer) else {name} end")
        }
        (Storage::Text, Storage::Integer | Storage::Numeric | Storage::Real) => format!("trim({name})"),
        (Storage::Text, Storage::Boolean) => format!(
            "case when lower(trim({name})) in ('t', 'true', 'y', 'yes', 'on', '1') then 1 \
             when lower(trim({name})) in ('f', 'false', 'n', 'no', 'off', '0') then 0 else {name} end"
        ),
        (Storage::Integer | Storage::Numeric | Storage::Real, Storage::Boolean) => format!("{name} <> 0"),
        (Storage::Boolean, Storage::Text) => format!("case {name} when 1 then 'true' when 0 then 'false' else {name} end"),
        (Storage::Text, Storage::Blob) => format!("cast({name} as blob)"),
        _ => name.to_owned(),
    }
}

fn renamed(name: &str, labels: &[(String, String)]) -> String {
    let cases: Vec<_> = labels.iter().map(|(from, to)| format!("when {} then {}", quote_literal(from), quote_literal(to))).collect();
    format!("case {name} {} else {name} end", cases.join(" "))
}

/// True of a value that isn't stored as its column says. Only what is stored as it should be was converted without loss.
fn misfit(name: &str, storage: Storage) -> String {
    match storage {
        Storage::Integer => format!("typeof({name}) not in ('integer', 'null')"),
        Storage::Boolean => format!("{name} not in (0, 1)"),
        Storage::Numeric => format!("typeof({name}) not in ('integer', 'real', 'null')"),
        Storage::Real => format!("typeof({name}) not in ('real', 'null')"),
        Storage::Blob => format!("typeof({name}) not in ('blob', 'null')"),
        Storage::Text => format!("typeof({name}) not in ('text', 'null')"),
    }
}
