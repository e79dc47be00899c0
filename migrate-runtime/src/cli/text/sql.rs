//! `plan --sql`: the same as a script for psql or sqlite3.

use super::at_heads;
use super::plan::heading;
use crate::{Plan, PlannedOperation};
use migrate_core::step::Dialect;
use std::fmt::Write as _;

/// The SQL that `up` would run, each operation with its verdict. It runs as it stands, in a shell that stops at errors;
/// only `up` also records it.
pub(in crate::cli) fn plan_as_sql(plan: &Plan) -> String {
    let mut script = String::new();
    comment(&mut script, &format!("what `migrate up` would run now: {}, {}", plan.target, at_heads(&plan.current)));
    comment(&mut script, "only `migrate up` records what it does, protects every operation by a savepoint and waits politely for locks");
    if plan.revisions.is_empty() {
        comment(&mut script, "nothing to do");
        return script;
    }
    match plan.dialect {
        Dialect::Postgres => {
            comment(&mut script, "to run it all the same: psql -v ON_ERROR_STOP=1");
            script.push_str("\nset search_path = public, pg_temp;\nset check_function_bodies = off;\n");
        }
        Dialect::Sqlite => {
            comment(&mut script, "to run it all the same: sqlite3 -bail; every `foreign_key_check` has to stay silent");
            script.push_str("\npragma foreign_keys = off;\n");
        }
    }
    let commit = match plan.dialect {
        Dialect::Postgres => "commit;\n",
        Dialect::Sqlite => "pragma foreign_key_check;\ncommit;\n",
    };
    for revision in &plan.revisions {
        script.push('\n');
        comment(&mut script, &heading(revision));
        let mut open = None;
        for operation in &revision.operations {
            if open.is_some() && operation.verdict == "before" && operation.transaction != open {
                script.push_str(commit);
                open = None;
            }
            if open.is_none() && operation.transaction.is_some() {
                script.push_str("begin;\n");
                open = operation.transaction;
            }
            statements(&mut script, operation);
        }
        if open.is_some() {
            script.push_str(commit);
        }
    }
    script
}

fn statements(script: &mut String, operation: &PlannedOperation) {
    let why = if operation.evidence.is_empty() { String::new() } else { format!(" ({})", operation.evidence) };
    let what = format!("{} {}, {}:{}", operation.number, operation.operation, operation.file, operation.line);
    comment(script, &format!("{what}: {}{why}", operation.verdict));
    in_batches(script, operation.batch);
    for (number, phase) in (1..).zip(&operation.phases) {
        comment(script, &format!("  phase {number}: {}", phase.locks.join(", ")));
        in_batches(script, phase.batch);
        if phase.transaction {
            script.push_str("begin;\n");
        }
        phase.sql.iter().for_each(|sql| statement(script, sql));
        if phase.transaction {
            script.push_str("commit;\n");
        }
    }
    if operation.phases.is_empty() {
        operation.sql.iter().for_each(|sql| statement(script, sql));
    }
    if operation.verdict == "before" && operation.sql.is_empty() {
        comment(script, "  it is not SQL alone: only `migrate up` can do it");
    }
}

fn in_batches(script: &mut String, batch: Option<u32>) {
    if let Some(batch) = batch {
        comment(
            script,
            &format!("  all rows at once: only `migrate up` does it in batches of {batch} rows, each in a transaction of its own"),
        );
    }
}

fn statement(script: &mut String, sql: &str) {
    // a line comment at the end must not swallow the semicolon
    let end = if sql.lines().last().is_some_and(|line| line.contains("--")) { "\n;" } else { ";" };
    let _ = writeln!(script, "{sql}{end}");
}

fn comment(script: &mut String, text: &str) {
    for line in text.lines() {
        let _ = writeln!(script, "-- {line}");
    }
}
