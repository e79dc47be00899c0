//! The rebuild of a table: what SQLite's `alter table` can't do (its manual, "ALTER TABLE", section 7).
//!
//! The new table is made under another name, the rows are copied, the old table is dropped and the new one gets its name;
//! then indexes and triggers are made again. Foreign keys have to be off, or dropping the old table would delete what refers
//! to it. They can't be switched in a transaction: that is for the engine to do. While the new table gets its name
//! `legacy_alter_table` is on: so SQLite doesn't look into views and triggers that name the table which isn't there at that
//! moment, and leaves the foreign keys of other tables alone.

use super::convert::{self, Conversion};
use super::{render, triggers};
use crate::name::{Name, quote_literal, quoted_list};
use crate::schema::{Schema, Table};

/// The statements that make `after` out of `before`. Both are projected, and of the same name.
pub(super) fn rebuild(before: &Table, after: &Table, conversions: &[(Name, Conversion)], live: &Schema) -> Vec<String> {
    let name = &after.name.name;
    let (old, new) = (render::quoted(name), Name::new(format!("__migrate_{name}")));
    let new_quoted = render::quoted(&new);
    let mut statements = vec![render::create_table(after, &new)];
    let mut columns = Vec::new();
    let mut values = Vec::new();
    let mut guards = Vec::new();
    for column in after.columns.iter().filter(|column| column.generated.is_none()) {
        let Some(from) = before.column(column.name.as_str()) else { continue };
        let conversion = conversions.iter().find(|(name, _)| *name == column.name).map(|(_, conversion)| conversion);
        let source = convert::source(name, from, column, conversion);
        columns.push(column.name.clone());
        values.push(source.expression);
        guards.extend(source.guard);
    }
    if columns.is_empty() {
        statements.push(format!("insert into {new_quoted} (rowid) select rowid from {old}"));
    } else {
        statements.push(format!("insert into {new_quoted} ({}) select {} from {old}", quoted_list(&columns), values.join(", ")));
    }
    for (misfit, message) in guards {
        statements.extend(guard(&new_quoted, &misfit, &message));
    }
    if autoincrements(before) && autoincrements(after) {
        let (old_name, new_name) = (quote_literal(name.as_str()), quote_literal(new.as_str()));
        statements.push(format!("delete from sqlite_sequence where name = {new_name}"));
        statements
            .push(format!("insert into sqlite_sequence (name, seq) select {new_name}, seq from sqlite_sequence where name = {old_name}"));
    }
    statements.push(format!("drop table {old}"));
    statements.push("pragma legacy_alter_table = on".to_owned());
    statements.push(format!("alter table {new_quoted} rename to {old}"));
    statements.push("pragma legacy_alter_table = off".to_owned());
    statements.extend(after.indexes.values().map(|index| render::create_index(name, index)));
    statements.extend(triggers::on(live, name).map(|(_, trigger)| trigger.sql.clone()));
    statements
}

/// Fails with `message` if there is a row of which `misfit` is true: SQLite has no other way to say something.
fn guard(table: &str, misfit: &str, message: &str) -> [String; 3] {
    let message = render::quoted(&Name::new(message));
    [
        format!("create table \"__migrate_guard\" (holds integer, constraint {message} check (holds))"),
        format!("insert into \"__migrate_guard\" select 0 from {table} where {misfit} limit 1"),
        "drop table \"__migrate_guard\"".to_owned(),
    ]
}

fn autoincrements(table: &Table) -> bool {
    table.columns.iter().any(|column| column.identity.is_some())
}
