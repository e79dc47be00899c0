//! `truncate`, which SQLite hasn't got: `delete`, where that takes the same rows and does nothing else.

use super::triggers::{self, TriggerEvent, trigger_event};
use super::{Unsupported, render};
use crate::expression::{Token, tokens};
use crate::name::QualifiedName;
use crate::ops::Opaque;
use crate::schema::Schema;

/// The statements that empty the tables, those that refer to others first.
pub(super) fn truncate(operation: &Opaque, schema: &Schema) -> Result<Vec<String>, Unsupported> {
    let said = |word: &str| tokens(operation.sql.sql()).iter().any(|(token, _)| *token == Token::Word(word.to_owned()));
    if said("cascade") || said("restart") || operation.relations.is_empty() {
        return Err(Unsupported::new("SQLite has no `truncate`"));
    }
    for table in &operation.relations {
        alone(table, operation, schema)?;
    }
    let mut left: Vec<&QualifiedName> = operation.relations.iter().collect();
    let mut statements = Vec::new();
    while !left.is_empty() {
        let referred = |table: &QualifiedName| schema.foreign_keys_to_table(table).iter().any(|(child, _)| left.contains(&child));
        // where they refer to each other in a circle, SQLite says whether their rows allow it
        let next = left.iter().position(|table| !referred(table)).unwrap_or_default();
        statements.push(format!("delete from {}", render::quoted(&left.remove(next).name)));
    }
    Ok(statements)
}

/// Refuses a table whose rows take others with them: PostgreSQL refuses it too where a key refers to it, and fires no trigger
/// for each row.
fn alone(table: &QualifiedName, operation: &Opaque, schema: &Schema) -> Result<(), Unsupported> {
    let keys = schema.foreign_keys_to_table(table);
    if let Some((child, _)) = keys.iter().find(|(child, _)| !operation.relations.contains(child)) {
        return Err(Unsupported::with_help(
            format!("table `{table}` can't be truncated: a foreign key of `{child}` refers to it"),
            format!("name `{child}` in the same `truncate`, or write `delete`, which does what the key says"),
        ));
    }
    let fires = triggers::on(schema, &table.name).find(|(_, trigger)| trigger_event(&trigger.sql) == Some(TriggerEvent::Delete));
    match fires {
        Some((name, _)) => Err(Unsupported::with_help(
            format!("table `{table}` can't be truncated: SQLite would fire the trigger `{name}` for each row"),
            "write `delete` if it shall fire, or drop the trigger before it in a `sqlite { … }` block, and create it again after it",
        )),
        None => Ok(()),
    }
}
