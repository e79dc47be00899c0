//! What the compiler says about one mistake each, and what it makes of what is right.
#![expect(clippy::expect_used, reason = "a test that can't go on has failed")]
#![expect(clippy::unused_async, reason = "a Rust step is async, whether it waits or not")]

#[path = "pass/backfill/mod.rs"]
mod backfill;
#[path = "pass/blocks/mod.rs"]
mod blocks;
#[path = "pass/constructs/mod.rs"]
mod constructs;
#[path = "pass/dialects/mod.rs"]
mod dialects;
#[path = "pass/include/mod.rs"]
mod include;
#[path = "pass/merge/mod.rs"]
mod merge;
#[path = "pass/typed_steps/mod.rs"]
mod typed_steps;

use migrate_core::step::{Dialect, Step};
use migrate_runtime::{Down, Migrations};
use std::fmt::Write;
use std::path::Path;

/// One case a folder: `main.rs` has the mistake, `main.stderr` is written by `TRYBUILD=overwrite`, and read.
#[test]
fn every_mistake_is_told_once_at_its_word() {
    trybuild::TestCases::new().compile_fail("fail/*/main.rs");
}

#[test]
fn what_is_right_becomes_the_steps_that_were_written() {
    check("backfill", backfill::MIGRATIONS);
    check("blocks", blocks::MIGRATIONS);
    check("constructs", constructs::MIGRATIONS);
    check("dialects", dialects::MIGRATIONS);
    check("include", include::MIGRATIONS);
    check("merge", merge::MIGRATIONS);
    check("typed_steps", typed_steps::MIGRATIONS);
}

/// Compares what the macros emit with `steps.txt` in the folder of the case; `UPDATE_CASES=1` writes that.
fn check(case: &str, chain: Migrations) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("pass").join(case).join("steps.txt");
    let found = print(chain);
    if std::env::var_os("UPDATE_CASES").is_some() {
        std::fs::write(&path, &found).expect("the folder of the case can be written to");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(found == expected, "{case} has become:\n{found}\nhelp: look at it, then run with UPDATE_CASES=1");
}

fn print(chain: Migrations) -> String {
    let mut text = String::new();
    for migration in chain.migrations {
        let _ = writeln!(text, "== {} {} after {:?}", migration.revision, migration.name, migration.parents);
        if !migration.summary.is_empty() {
            let _ = writeln!(text, "-- {}", migration.summary);
        }
        text.push_str(&steps(migration.up));
        match migration.down {
            Down::Derived => {}
            Down::Written(written) => {
                let _ = write!(text, "-- down\n{}", steps(written));
            }
            Down::Irreversible(reason) => {
                let _ = writeln!(text, "-- irreversible: {reason}");
            }
        }
        for (function, _) in migration.functions {
            let _ = writeln!(text, "-- function {function}");
        }
        for (function, _) in migration.batch_functions {
            let _ = writeln!(text, "-- function {function} in batches");
        }
    }
    text
}

/// A step a line or more: where it comes from, what it is, and its SQL.
fn steps(json: &str) -> String {
    use migrate_core::operation::Operate;
    use migrate_core::step::Action;

    let steps: Vec<Step> = serde_json::from_str(json).expect("the macro writes steps");
    let mut text = String::new();
    for step in steps {
        let _ = write!(text, "{}: {}", step.line, step.describe());
        if let Some(table) = &step.when {
            let _ = write!(text, " (if exists table {table})");
        }
        if step.if_exists {
            text.push_str(" (if exists)");
        }
        if step.as_written {
            text.push_str(" (as written)");
        }
        if let Some(dialect) = step.dialect {
            text.push_str(if dialect == Dialect::Sqlite { " (sqlite)" } else { " (postgres)" });
        }
        text.push('\n');
        match &step.action {
            Action::Change(operation) => {
                for sql in operation.render() {
                    let _ = writeln!(text, "    {};", sql.replace('\n', "\n    "));
                }
            }
            Action::Assert { query, .. } => {
                let _ = writeln!(text, "    {query};");
            }
            Action::Declare { .. } | Action::Run { .. } => {}
        }
    }
    text
}
