//! `up`, `down`, `stamp`: what was done.

use super::{at_heads, count, seconds, still_skipped};
use crate::{BackfillProgress, Outcome, RevisionReport, Stamped, Summary};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Up to this many skipped operations of a migration are listed one by one.
const LISTED: usize = 8;

/// What was done for one revision: a line, and what was skipped.
pub(in crate::cli) fn revision(report: &RevisionReport) -> String {
    let verb = match report.direction {
        "down" => "reverted",
        "replay" => "caught up",
        _ => "applied",
    };
    let outcomes = [Outcome::Applied, Outcome::Satisfied, Outcome::Skipped, Outcome::Reverted];
    let counts: Vec<String> = outcomes
        .into_iter()
        .filter(|outcome| report.count(*outcome) > 0)
        .map(|outcome| format!("{} {}", report.count(outcome), outcome.as_str()))
        .collect();
    let counts = if counts.is_empty() { "no operations".to_owned() } else { counts.join(", ") };
    let took = seconds(report.duration_ms);
    format!("{verb} {} ({}): {counts} in {took}\n{}", report.name, report.revision, skips(report))
}

fn skips(report: &RevisionReport) -> String {
    let mut by_evidence: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for operation in report.operations.iter().filter(|operation| operation.outcome == Outcome::Skipped) {
        let line = format!("{} ({}:{})", operation.operation, operation.file, operation.line);
        by_evidence.entry(&operation.evidence).or_default().push(line);
    }
    let listed = report.count(Outcome::Skipped) <= LISTED;
    let mut text = String::new();
    for (evidence, operations) in by_evidence {
        if listed {
            for operation in operations {
                let _ = writeln!(text, "  skipped {operation}: {evidence}");
            }
        } else {
            let _ = writeln!(text, "  skipped {}: {evidence}", count(operations.len(), "operation"));
        }
    }
    text
}

/// How fast a change in batches is, and how long it will take: `20000 rows/s, about 40.0 s left, batches of 8000`.
pub(in crate::cli) fn pace(progress: &BackfillProgress) -> String {
    let size = format!("batches of {}", progress.batch_size);
    let rate = progress.rows_per_second;
    let left = progress.estimate.filter(|_| rate > 0).map(|estimate| estimate.saturating_sub(progress.passed) * 1000 / rate);
    match (rate, left) {
        (0, _) => size,
        (rate, None | Some(0)) => format!("{rate} rows/s, {size}"),
        (rate, Some(left)) => format!("{rate} rows/s, about {} left, {size}", seconds(left)),
    }
}

/// Where `up` has left the database.
pub(in crate::cli) fn after_up(summary: &Summary) -> String {
    let begin = if summary.revisions.is_empty() { "nothing to do: " } else { "" };
    format!("{begin}{}{}\n", at_heads(&summary.current), still_skipped(summary.skipped))
}

/// Where `down` has left the database.
pub(in crate::cli) fn after_down(summary: &Summary) -> String {
    let begin = if summary.revisions.is_empty() { "nothing to do: " } else { "" };
    format!("{begin}{}\n", at_heads(&summary.current))
}

/// What `stamp` has recorded, and where.
pub(in crate::cli) fn stamped(stamped: &Stamped) -> String {
    let mut text = if stamped.recorded.is_empty() {
        format!("nothing to do: {} ({}) is recorded already\n", stamped.revision, stamped.name)
    } else {
        let many = count(stamped.recorded.len(), "revision");
        format!("stamped {} ({}): {many} recorded, nothing was run\n", stamped.revision, stamped.name)
    };
    for revision in &stamped.recorded {
        let _ = writeln!(text, "  {revision}");
    }
    let _ = writeln!(text, "{} is {}", stamped.target, at_heads(&stamped.current));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OperationReport;

    fn operation(number: usize, outcome: Outcome, evidence: &str) -> OperationReport {
        OperationReport {
            number,
            operation: format!("operation {number}"),
            outcome,
            evidence: evidence.to_owned(),
            file: "m.rs".into(),
            line: 7,
            duration_ms: 0,
        }
    }

    fn report(operations: Vec<OperationReport>) -> RevisionReport {
        RevisionReport { revision: "774225e563ca".into(), name: "m0003".into(), direction: "up", operations, duration_ms: 420 }
    }

    #[test]
    fn few_skips_are_listed() {
        let operations = vec![operation(1, Outcome::Applied, ""), operation(2, Outcome::Skipped, "table events is absent")];
        let expected =
            "applied m0003 (774225e563ca): 1 applied, 1 skipped in 0.4 s\n  skipped operation 2 (m.rs:7): table events is absent\n";
        assert_eq!(revision(&report(operations)), expected);
    }

    #[test]
    fn many_skips_are_grouped_by_what_is_absent() {
        let operations = (1..=10).map(|i| {
            let table = if i % 5 == 0 { "a" } else { "b" };
            operation(i, Outcome::Skipped, &format!("table {table} is absent"))
        });
        let expected = "applied m0003 (774225e563ca): 10 skipped in 0.4 s\n  skipped 2 operations: table a is absent\n  \
                        skipped 8 operations: table b is absent\n";
        assert_eq!(revision(&report(operations.collect())), expected);
    }

    #[test]
    fn a_pace_tells_what_is_left_where_that_is_known() {
        let progress = |estimate, rows_per_second| BackfillProgress {
            revision: "r".into(),
            number: 1,
            passed: 1000,
            changed: 900,
            estimate,
            rows_per_second,
            batches: 2,
            batch_size: 500,
            took_ms: Some(40),
            resumed: false,
        };
        assert_eq!(pace(&progress(Some(5000), 0)), "batches of 500");
        assert_eq!(pace(&progress(None, 100)), "100 rows/s, batches of 500");
        assert_eq!(pace(&progress(Some(5000), 100)), "100 rows/s, about 40.0 s left, batches of 500");
    }

    #[test]
    fn a_merge_has_no_operations() {
        assert_eq!(revision(&report(Vec::new())), "applied m0003 (774225e563ca): no operations in 0.4 s\n");
    }
}
