//! `add column` with a default that may differ from row to row: the rows that are there are filled after the lock that adds
//! it is given back.
//!
//! PostgreSQL writes every row anew for such a column, and nobody can read one meanwhile. Here new rows have the default at
//! once, and old ones are null until their batch comes. A null that somebody writes into a row before its batch looks the same,
//! and is filled, too; what has a value is left alone.
//!
//! Filling is an `update`, which writing anew isn't: where somebody hears of it, or it may not reach or not be allowed to write
//! every row, the statement is run as it was written. So it is with
//!
//! - a trigger or a rule for updates of the table, or a check or a `not null` of it that isn't validated;
//! - row level security that is forced on the owner, too;
//! - a table without a key that never changes on the way and has every row;
//! - an identity, a generated column, and a type that may be a domain: none of them can be added empty and filled;
//! - constraints behind the column: written in statements of their own, they have phases of their own.

use super::not_null::Proof;
use super::{Lowering, Pace, alone, phase};
use crate::effects::LockMode;
use crate::expression::Expression;
use crate::name::{Name, quote_literal};
use crate::operation::Operate as _;
use crate::ops::{AddColumn, Backfill, BatchWork, Opaque, SetDefault, SetNotNull};
use crate::render;
use crate::schema::{Column, ConstraintKind, Schema, Table, TriggerEvent, TriggerState, Unmodelled};

/// The comment on a column that was added and isn't filled yet.
const MARK: &str = "not filled yet: `migrate up` is adding this column";

/// How many rows the first batch has.
const BATCH: u32 = 1000;

pub(super) fn lower(add: &AddColumn, before: &Schema) -> Option<Lowering> {
    let table = alone(before, &add.table)?;
    let found = table.column(add.column.name.as_str());
    let is_begun = found.is_some_and(is_marked);
    if (found.is_some() && !is_begun) || !add.is_filled_by_volatile_default(before) || (!is_begun && !can_be_updated(add, table, before)) {
        return None;
    }
    let own = &add.table;
    let fill = fill(add);
    let mut phases = Vec::new();
    if !is_begun {
        phases.push(phase(Pace::Short, adding(add)?, &[(own, LockMode::AccessExclusive)]));
    }
    let is_not_null = found.is_some_and(|column| column.not_null);
    let proof = if add.column.not_null && !is_not_null { Some(Proof::new(table, &add.column.name)?) } else { None };
    let writes = [(own, LockMode::RowExclusive)];
    let sql: Vec<String> = fill.whole().into_iter().collect();
    // the proof is begun when all batches are done
    if !is_not_null && proof.as_ref().is_none_or(|proof| proof.found.is_none()) {
        phases.push(phase(Pace::Batches, sql.clone(), &writes));
    }
    let mut last = Vec::new();
    if let Some(proof) = &proof {
        for step in proof.phases() {
            // rows whose key has changed have left the batches behind: from here on, nobody adds any more
            if step.pace == Pace::Long {
                phases.push(phase(Pace::Long, sql.clone(), &writes));
            }
            phases.push(step);
        }
        last.extend(SetNotNull { table: own.clone(), column: add.column.name.clone(), only: false }.render());
        last.push(proof.drop());
    }
    last.push(comment(add, add.column.comment.as_deref()));
    phases.push(match &proof {
        Some(_) => phase(Pace::Short, last, &[(own, LockMode::AccessExclusive)]),
        None => phase(Pace::Long, last, &[(own, LockMode::ShareUpdateExclusive)]),
    });
    let undo = vec![format!("alter table {} drop column if exists {}", own.quoted(), add.column.name.quoted())];
    Some(Lowering { table: own.clone(), phases, is_begun, undo, index: None, fill: Some(fill) })
}

/// Whether an interrupted attempt has added it and not filled it yet.
pub(super) fn is_marked(column: &Column) -> bool {
    column.comment.as_deref() == Some(MARK)
}

/// Whether an `update` reaches every row, and nobody else hears of it.
fn can_be_updated(add: &AddColumn, table: &Table, before: &Schema) -> bool {
    let hears = before
        .triggers_of(&table.name)
        .any(|(_, trigger)| trigger.events.contains(&TriggerEvent::Update) && trigger.update_of.is_empty() && is_on(trigger.state));
    let refuses = table.constraints.values().any(|it| matches!(it.kind, ConstraintKind::Check { .. }) && !it.validated);
    let demands = table.columns.iter().any(|column| column.not_null_unvalidated().is_some());
    let is_ruled = table.unmodelled.iter().any(|what| matches!(what, Unmodelled::Rule(_)));
    let hides = table.row_security.enabled && table.row_security.forced;
    let has_key = !table.walkable_keys().is_empty();
    add.constraints.is_empty() && has_key && can_be_numbered(add, table, before) && !(hears || refuses || demands || is_ruled || hides)
}

/// Whether the sequence of a serial column is the one that PostgreSQL would make: of that name, and logged, as one of an unlogged
/// table is before PostgreSQL 15 only.
fn can_be_numbered(add: &AddColumn, table: &Table, before: &Schema) -> bool {
    let Some(sequence) = &add.serial else { return true };
    let name = table.name.sibling(sequence.clone());
    before.relation_kind(&name).is_none() && before.index(&name).is_none() && !table.unlogged
}

fn is_on(state: TriggerState) -> bool {
    state != TriggerState::Disabled
}

/// What adds it, with the default for new rows only.
fn adding(add: &AddColumn) -> Option<Vec<String>> {
    let (table, name) = (&add.table, &add.column.name);
    let mut sql = Vec::new();
    let sequence = add.serial.as_ref().map(|sequence| table.sibling(sequence.clone()).quoted());
    if let Some(sequence) = &sequence {
        sql.push(format!("create sequence {sequence}{}", render::sequence_options(&add.serial_options())));
    }
    let bare = Column { default: None, not_null: false, comment: None, ..add.column.clone() };
    sql.extend(AddColumn { column: bare, serial: None, ..add.clone() }.render());
    let default = add.column.default.clone()?;
    sql.extend(SetDefault { table: table.clone(), column: name.clone(), default, only: false }.render());
    if let Some(sequence) = &sequence {
        sql.push(format!("alter sequence {sequence} owned by {}.{}", table.quoted(), name.quoted()));
    }
    sql.push(comment(add, Some(MARK)));
    Some(sql)
}

/// What fills the rows that are there.
fn fill(add: &AddColumn) -> Backfill {
    let (table, column) = (add.table.clone(), add.column.name.clone());
    let head = format!("update only {} set {} = default", table.quoted(), column.quoted());
    let condition = Some(Expression::new(format!("{} is null", column.quoted())));
    Backfill {
        only: true,
        batch: BATCH,
        work: BatchWork::Statement { called: table.name.clone(), condition },
        sets: vec![column],
        statement: Opaque { kind: "update".to_owned(), sql: Expression::new(head), ..Opaque::default() },
        refusals: Vec::new(),
        table,
    }
}

fn comment(add: &AddColumn, text: Option<&str>) -> String {
    let column: &Name = &add.column.name;
    format!("comment on column {}.{} is {}", add.table.quoted(), column.quoted(), text.map_or_else(|| "null".to_owned(), quote_literal))
}
