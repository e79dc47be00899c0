//! `serial_sequence_type`: a column can hold more numbers than its sequence gives.
//!
//! - **Finds**: a column that becomes, or is created, `bigint` and takes its default from a sequence that is `integer` or
//!   `smallint` at the end of the migration; `alter column … type` changes the column of a `serial`, and not its sequence
//! - **Blocks**: nothing until the sequence reaches its end; then every insert fails with SQLSTATE 2200H
//! - **Instead**: `alter sequence … as bigint` in the same migration
//! - **Source**: PostgreSQL manual, `ALTER SEQUENCE`, `AS`; "Serial Types"

use super::{Context, Findings, Lint, columns};
use crate::data_type::DataType;
use crate::name::{At, Name, QualifiedName};
use crate::operation::Operation;
use crate::schema::ObjectKey;

pub(super) const LINT: Lint = Lint::of_history("serial_sequence_type", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (table, column, at) in typed(context) {
        let Some(end) = context.end().column(table, column.as_str()) else { continue };
        let Some(room) = bits(&end.data_type) else { continue };
        for sequence in end.default.iter().flat_map(crate::expression::Expression::sequences) {
            let Some(options) = context.end().sequences.get(&sequence).map(|sequence| sequence.options.attributes()) else { continue };
            // a limit of its own is meant
            let (_, limit) = crate::schema::default_limits(&options.data_type, options.increment);
            let smaller = matches!((room, options.data_type.as_str()), (64, "integer" | "smallint") | (32, "smallint"));
            if !smaller || options.maximum != limit || options.cycle {
                continue;
            }
            let maker = context.creator(&ObjectKey::Sequence(sequence.clone()));
            findings
                .find(at, format!("`{column}` is `{}`, and its sequence `{sequence}` ends at {limit}", end.data_type))
                .note("from then on every insert that leaves the number to the sequence fails".to_owned())
                .maybe_note(maker.map(|place| format!("the sequence was created by {place}, as `{}`", options.data_type)))
                .instead(format!("add `alter sequence {} as {}` to the migration", sequence.quoted(), end.data_type));
        }
    }
}

/// The columns that get a type or a default, each with the place where it is written.
fn typed<'a>(context: &Context<'a>) -> Vec<(&'a QualifiedName, &'a Name, At)> {
    match context.operation() {
        Some(Operation::AlterColumnType(alter)) => vec![(&alter.table, &alter.column, columns::at(&alter.column, &alter.data_type))],
        Some(Operation::SetDefault(set)) => vec![(&set.table, &set.column, set.default.at)],
        Some(Operation::AddColumn(add)) if add.serial.is_none() => vec![(&add.table, &add.column.name, add.column.name.at)],
        Some(Operation::CreateTable(create)) => {
            let table = &create.table;
            let serial = |column: &Name| create.serials.iter().any(|(name, _)| name == column);
            let own = table.columns.iter().filter(|column| !serial(&column.name));
            own.map(|column| (&table.name, &column.name, column.name.at)).collect()
        }
        _ => Vec::new(),
    }
}

fn bits(data_type: &DataType) -> Option<u8> {
    match data_type.sql().as_str() {
        "bigint" => Some(64),
        "integer" => Some(32),
        _ => None,
    }
}
