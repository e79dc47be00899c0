//! `add foreign key` and `add check`, validated after the lock that adds them is given back.

use super::{Lowering, MARK, Offenders, Pace, Phase, alone, key_columns, phase};
use crate::effects::LockMode;
use crate::name::{QualifiedName, quote_literal};
use crate::ops::AddConstraint;
use crate::render;
use crate::schema::{Constraint, ConstraintKind, Schema, Table};

pub(super) fn lower(add: &AddConstraint, before: &Schema) -> Option<Lowering> {
    let (table, constraint) = (alone(before, &add.table)?, &add.constraint);
    if !constraint.validated {
        return None;
    }
    let (adding, validating, offenders) = locks(table, constraint, before)?;
    let (on, name) = (add.table.quoted(), constraint.name.quoted());
    let found = table.constraints.get(constraint.name.as_str());
    let is_begun = found.is_some_and(is_marked);
    if found.is_some() && !is_begun {
        return None;
    }
    let mut phases = Vec::new();
    if !is_begun {
        let unchecked = Constraint { validated: false, ..constraint.clone() };
        let sql = format!("alter table {on} add {}", render::constraint(&unchecked));
        phases.push(phase(Pace::Short, vec![sql, comment(add, Some(MARK))], &adding));
    }
    let sql = vec![format!("alter table {on} validate constraint {name}"), comment(add, constraint.comment.as_deref())];
    phases.push(Phase { offenders, ..phase(Pace::Long, sql, &validating) });
    Some(Lowering {
        table: add.table.clone(),
        phases,
        is_begun,
        undo: vec![format!("alter table {on} drop constraint if exists {name}")],
        index: None,
        fill: None,
    })
}

/// Whether an interrupted attempt has added it and not validated it yet.
pub(super) fn is_marked(constraint: &Constraint) -> bool {
    !constraint.validated && constraint.comment.as_deref() == Some(MARK)
}

/// Says of it what the migration does, where it has been validated by somebody else.
pub(super) fn unmark(add: &AddConstraint, live: &Schema) -> Option<String> {
    let found = live.table(&add.table)?.constraints.get(add.constraint.name.as_str())?;
    let is_marked = found.validated && found.comment.as_deref() == Some(MARK);
    is_marked.then(|| comment(add, add.constraint.comment.as_deref()))
}

fn comment(add: &AddConstraint, text: Option<&str>) -> String {
    let (name, on) = (add.constraint.name.quoted(), add.table.quoted());
    format!("comment on constraint {name} on {on} is {}", text.map_or_else(|| "null".to_owned(), quote_literal))
}

type Locks<'a> = Vec<(&'a QualifiedName, LockMode)>;

/// The locks that adding it and validating it take, and the rows that it may not like.
fn locks<'a>(table: &'a Table, constraint: &'a Constraint, before: &Schema) -> Option<(Locks<'a>, Locks<'a>, Option<Offenders>)> {
    let own = &table.name;
    match &constraint.kind {
        // a key to a partitioned table is a constraint for each partition, and not all of them are validated
        ConstraintKind::ForeignKey(key) if before.table(&key.references).is_some_and(|other| !other.is_partitioned()) => {
            let other = &key.references;
            let (mut adding, mut validating) = (vec![(own, LockMode::ShareRowExclusive)], vec![(own, LockMode::ShareUpdateExclusive)]);
            if other != own {
                adding.push((other, LockMode::ShareRowExclusive));
                validating.push((other, LockMode::RowShare));
            }
            // the server's own detail names the key
            Some((adding, validating, None))
        }
        ConstraintKind::Check { expression, .. } => {
            let offenders =
                Offenders { key: key_columns(table), table: own.clone(), condition: format!("not ({})", expression.sql()), message: None };
            Some((vec![(own, LockMode::AccessExclusive)], vec![(own, LockMode::ShareUpdateExclusive)], Some(offenders)))
        }
        _ => None,
    }
}
