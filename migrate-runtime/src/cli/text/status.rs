//! `status`, `current`, `skipped`, `check`.

use super::table::table;
use super::{at, count, still_skipped};
use crate::{CheckReport, RevisionState, RevisionStatus, SkippedOperation, Status};

/// The revisions as a table, and where that leaves the database.
pub(in crate::cli) fn status(status: &Status) -> String {
    let rows: Vec<Vec<String>> = status
        .revisions
        .iter()
        .map(|row| {
            vec![
                row.revision.clone(),
                row.name.clone(),
                state(row.state).to_owned(),
                row.recorded_at.clone().unwrap_or_default(),
                if row.skipped > 0 { row.skipped.to_string() } else { String::new() },
                row.summary.clone(),
            ]
        })
        .collect();
    let table = table(&["REVISION", "NAME", "STATE", "RECORDED (UTC)", "SKIPPED", "SUMMARY"], &rows);
    format!("{}\n\n{table}\n{}\n", status.target, position(status, "up to date"))
}

/// As a person says it.
pub(in crate::cli) fn state(state: Option<RevisionState>) -> &'static str {
    match state {
        None => "pending",
        Some(RevisionState::Started) => "interrupted",
        Some(state) => state.as_str(),
    }
}

/// Where the database stands. `done`: what to call it if nothing is pending.
fn position(status: &Status, done: &str) -> String {
    let current = heads(status);
    let skipped = still_skipped(status.skipped.len());
    match status.pending() {
        0 => format!("{done}: {}{skipped}", at(&current)),
        pending => format!("{} pending, {}{skipped}", count(pending, "revision"), at(&current)),
    }
}

fn heads(status: &Status) -> Vec<(&str, &str)> {
    status.current().into_iter().map(|row| (row.revision.as_str(), row.name.as_str())).collect()
}

/// The heads, one a line.
pub(in crate::cli) fn current(status: &Status) -> String {
    let heads = heads(status);
    if heads.is_empty() {
        return "no revision is recorded\n".to_owned();
    }
    let end = if status.pending() == 0 { " (head)" } else { "" };
    let lines: Vec<String> = heads.into_iter().map(|(revision, name)| format!("{revision} {name}{end}")).collect();
    lines.join("\n")
}

/// The skipped operations as a table.
pub(in crate::cli) fn skipped(operations: &[SkippedOperation]) -> String {
    if operations.is_empty() {
        return "nothing is skipped\n".to_owned();
    }
    let row = |operation: &SkippedOperation| {
        vec![
            operation.name.clone(),
            operation.number.to_string(),
            operation.operation.clone(),
            operation.evidence.clone(),
            format!("{}:{}", operation.file, operation.line),
        ]
    };
    let rows: Vec<Vec<String>> = operations.iter().map(row).collect();
    let table = table(&["MIGRATION", "NO", "OPERATION", "WHY", "SOURCE"], &rows);
    let many = count(operations.len(), "operation");
    format!("{table}\n{many} skipped for now; `migrate up` applies them once what they work on is there\n")
}

/// What `check` found.
pub(in crate::cli) fn check(report: &CheckReport) -> String {
    let mut text = String::new();
    if !report.drift.is_empty() {
        text = format!("drift: the schema differs from its history in {}\n", count(report.drift.len(), "place"));
        for difference in &report.drift {
            text = format!("{text}  {}\n", difference.replace('\n', "\n  "));
        }
    }
    let waiting = report.status.revisions.iter().filter(|row| matches!(row.state, None | Some(RevisionState::Started)));
    let waiting: Vec<String> =
        waiting.map(|row: &RevisionStatus| format!("  {} {} {}\n", state(row.state), row.revision, row.name)).collect();
    let position = position(&report.status, if report.drift.is_empty() { "in sync" } else { "no revision is pending" });
    format!("{text}{position}\n{}", waiting.concat())
}
