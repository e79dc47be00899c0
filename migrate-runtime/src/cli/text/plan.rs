//! `plan`: what `up` would do.

use super::table::table;
use super::{at_heads, count, still_skipped};
use crate::{Plan, PlannedOperation, PlannedPhase, PlannedRevision};

/// A table for each revision, and the sum of them.
pub(in crate::cli) fn plan(plan: &Plan) -> String {
    if plan.revisions.is_empty() {
        return format!("nothing to do: {}{}\n", at_heads(&plan.current), still_skipped(plan.skipped));
    }
    let revisions: String = plan.revisions.iter().map(revision).collect();
    format!("{}\n\n{revisions}{}\n", plan.target, total(plan))
}

fn revision(revision: &PlannedRevision) -> String {
    let title = heading(revision);
    if revision.operations.is_empty() {
        return format!("{title}\nno operations\n\n");
    }
    let rows: Vec<Vec<String>> = revision.operations.iter().flat_map(rows).collect();
    let headers = ["NO", "OPERATION", "VERDICT", "WHY", "TRANSACTION", "LOCKS", "REWRITES", "DISK", "SOURCE"];
    format!("{title}\n{}\n", table(&headers, &rows))
}

/// `m0003_document_ai (774225e563ca)`.
pub(super) fn heading(revision: &PlannedRevision) -> String {
    let replay = if revision.direction == "replay" { ", what was skipped before" } else { "" };
    format!("{} ({}){replay}", revision.name, revision.revision)
}

/// The operation, and below it its phases.
fn rows(operation: &PlannedOperation) -> Vec<Vec<String>> {
    let phase = |(number, phase): (usize, &PlannedPhase)| {
        let transaction = match (phase.batch, phase.transaction) {
            (Some(_), _) => "one a batch",
            (None, true) => "its own",
            (None, false) => "none",
        };
        let cell = |text: &str| text.to_owned();
        vec![
            format!("{}.{number}", operation.number),
            format!("  {}", phase.sql.join("; ")),
            String::new(),
            String::new(),
            cell(transaction),
            phase.locks.join(", "),
            String::new(),
            String::new(),
            String::new(),
        ]
    };
    std::iter::once(row(operation)).chain((1..).zip(&operation.phases).map(phase)).collect()
}

fn row(operation: &PlannedOperation) -> Vec<String> {
    let transaction = match (operation.transaction, operation.batch, operation.verdict) {
        (Some(number), ..) => number.to_string(),
        (None, Some(_), _) => "one a batch".to_owned(),
        (None, None, "before") => "none".to_owned(),
        (None, None, _) => String::new(),
    };
    let effects = |known: &[String]| if operation.unknown_effects { "unknown".to_owned() } else { known.join(", ") };
    // each phase has locks of its own
    let locks = if operation.phases.is_empty() { effects(&operation.locks) } else { String::new() };
    vec![
        operation.number.to_string(),
        operation.operation.clone(),
        operation.verdict.to_owned(),
        operation.evidence.clone(),
        transaction,
        locks,
        effects(&operation.rewrites),
        operation.disk.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
        format!("{}:{}", operation.file, operation.line),
    ]
}

fn total(plan: &Plan) -> String {
    let obstacles = plan.obstacles().count();
    let parts = [
        (plan.count("before"), "to run"),
        (plan.count("after"), "done already"),
        (plan.count("absent"), "to skip"),
        (obstacles, "in the way"),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|(number, _)| *number > 0).map(|(number, what)| format!("{number} {what}")).collect();
    let parts = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    let end = if obstacles > 0 { "; `up` would fail, and change nothing of that revision" } else { "" };
    format!("{}{parts}{end}", count(plan.revisions.len(), "revision"))
}
