//! What a migration does, for whoever hovers over its module and for the reader of its documentation.

use std::collections::BTreeMap;

use migrate_core::effects::{Effects, TransactionNeed};
use migrate_core::operation::{Operate, Operation};
use migrate_core::step::{Action, Dialect, Step};

use crate::check::Checked;
use crate::lints::Acknowledged;
use crate::module::Migration;
use crate::report::Place;
use crate::statement::{Allow, Statement, StatementKind};

/// The SQL of each step with its locks and what it costs, up and down; `line` gives the line of a place.
pub fn documentation(migration: &Migration, checked: &Checked, line: &dyn Fn(Place) -> u32) -> String {
    let mut allows = Allows::default();
    // what is locked is not judged any more: then all is told that its author wrote
    let down = migration.down.iter().flatten();
    collect(migration.up.iter().filter(|_| checked.locked).chain(down), line, &mut allows);
    let mut text = String::from("\n\n# Up\n");
    text.push_str(&steps_text(&checked.up, &checked.effects, &checked.acknowledged, &allows));
    if checked.locked {
        text.push_str("\nLocked in `migrations.lock`: what it does can't be edited any more.\n");
    }
    text.push_str("\n# Down\n");
    match (&checked.down, &migration.irreversible) {
        (Some(steps), _) => text.push_str(&steps_text(steps, &checked.down_effects, &[], &allows)),
        (None, Some(reason)) => {
            text.push_str("\nIrreversible: ");
            text.push_str(&reason.value);
            text.push('\n');
        }
        (None, None) => text.push_str(&fenced(&checked.derived.iter().flat_map(|sql| [sql.as_str(), ";\n"]).collect::<String>())),
    }
    text
}

/// The lints that a statement acknowledges, by its line.
type Allows<'a> = BTreeMap<u32, &'a [Allow]>;

fn collect<'a>(statements: impl Iterator<Item = &'a Statement>, line: &dyn Fn(Place) -> u32, allows: &mut Allows<'a>) {
    for statement in statements {
        if !statement.allows.is_empty() {
            allows.insert(line(statement.place), &statement.allows);
        }
        if let StatementKind::IfExists { body, .. } | StatementKind::Dialect { body, .. } = &statement.kind {
            collect(body.iter(), line, allows);
        }
    }
}

fn steps_text(steps: &[Step], effects: &[Effects], acknowledged: &[Acknowledged], allows: &Allows<'_>) -> String {
    let mut sql = String::new();
    let comment = |sql: &mut String, text: &str| {
        sql.push_str("-- ");
        sql.push_str(&text.split_whitespace().collect::<Vec<_>>().join(" "));
        sql.push('\n');
    };
    let mut told = None;
    for (i, step) in steps.iter().enumerate() {
        // one statement may be several steps
        let here = allows.get(&step.line).filter(|_| step.file.is_none() && told != Some(step.line));
        for allow in here.into_iter().flat_map(|allows| allows.iter()) {
            let lints: Vec<&str> = allow.lints.iter().map(|lint| lint.value.as_str()).collect();
            comment(&mut sql, &format!("allowed: {}, because: {}", lints.join(", "), allow.reason.value));
        }
        told = Some(step.line);
        for Acknowledged { lint, reason, .. } in acknowledged.iter().filter(|acknowledged| acknowledged.step == i) {
            comment(&mut sql, &format!("allowed: {lint}, because: {reason}"));
        }
        match (&step.action, step.dialect) {
            (Action::Change(operation), dialect) => {
                if dialect == Some(Dialect::Sqlite) {
                    comment(&mut sql, "only on SQLite");
                }
                for line in effects.get(i).map(costs).unwrap_or_default() {
                    comment(&mut sql, &line);
                }
                if let Operation::Backfill(backfill) = operation
                    && backfill.function().is_some()
                {
                    comment(&mut sql, &step.describe());
                }
                for statement in operation.render() {
                    sql.push_str(&statement);
                    sql.push_str(";\n");
                }
            }
            (Action::Run { .. } | Action::Assert { .. }, _) => comment(&mut sql, &step.describe()),
            (Action::Declare { .. }, _) => {}
        }
    }
    fenced(&sql)
}

/// What a step does to a running system, a line each.
fn costs(effects: &Effects) -> Vec<String> {
    let locks = effects.locks.iter().map(|(table, mode)| format!("{} on {table}: blocks {}", mode.pg_locks_name(), mode.blocks()));
    let rewrites = effects.rewrites.iter().map(|table| format!("writes every row of {table} anew"));
    let scans = effects.scans.iter().map(|table| format!("reads every row of {table}"));
    let mut costs: Vec<String> = locks.chain(rewrites).chain(scans).collect();
    if effects.loses_data {
        costs.push("loses data that no way back restores".to_owned());
    }
    if effects.transaction == TransactionNeed::Outside {
        costs.push("outside of a transaction".to_owned());
    }
    costs
}

fn fenced(sql: &str) -> String {
    if sql.is_empty() { "\nNothing.\n".to_owned() } else { format!("\n````sql\n{sql}````\n") }
}
