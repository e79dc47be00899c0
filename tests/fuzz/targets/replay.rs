//! SQL text → operations → schema: whatever the text is, nothing panics, and what holds for every migration holds.
//!
//! The text before a line `== migration` is the schema before, the rest is the migration, as in the `.case` files.
#![no_main]

use libfuzzer_sys::fuzz_target;
use migrate_core::lower;
use migrate_core::operation::Operate;
use migrate_core::schema::Origin;
use migrate_core::sqlite;
use migrate_tests::case::Case;

fuzz_target!(|text: &str| {
    let _ = lower::parse_file(text);
    let (base, migration) = text.split_once("== migration\n").unwrap_or(("", text));
    let case = Case { lints: true, ..Case::of(base, migration) };
    let Ok(outcome) = case.run() else { return };
    let _ = (outcome.sections(), outcome.lint_sections());
    let violations = outcome.violations(&case);
    assert!(violations.is_empty(), "{}", violations.join("\n"));

    let mut model = outcome.before.clone();
    for operation in outcome.operations() {
        let before = model.clone();
        operation.apply(&mut model, &Origin::default());
        let changes = sqlite::changes(operation, &before, &model);
        let _ = sqlite::verdict(operation, &changes, &before, &sqlite::project(&before));
        let _ = sqlite::plan(operation, &before, &model);
    }
});
