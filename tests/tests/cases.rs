//! Runs every `.case` file without a server. `UPDATE_CASES=1` writes down what comes out, for `git diff` to be read.

use migrate_tests::case::Case;
use similar::TextDiff;
use std::env;
use std::fs;
use std::path::Path;

#[test]
fn cases() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let update = env::var_os("UPDATE_CASES").is_some_and(|value| value == "1");
    let files = Case::files(&directory).expect("the directory of cases can be read");
    assert!(!files.is_empty(), "no case below {}", directory.display());
    let mut failures = Vec::new();
    for file in &files {
        let name = file.strip_prefix(&directory).unwrap_or(file).display();
        if let Err(failure) = check(file, update) {
            failures.push(format!("--- {name}\n{failure}"));
        }
    }
    assert!(failures.is_empty(), "{} of {} cases fail:\n\n{}", failures.len(), files.len(), failures.join("\n"));
}

fn check(file: &Path, update: bool) -> Result<(), String> {
    let case = Case::read(file).map_err(|error| error.to_string())?;
    let outcome = case.run().map_err(|error| error.to_string())?;
    let expected = fs::read_to_string(file).map_err(|error| error.to_string())?;
    let found = case.print(&if case.lints { outcome.lint_sections() } else { outcome.sections() });
    let mut failures = outcome.violations(&case);
    if found != expected {
        if update {
            fs::write(file, &found).map_err(|error| error.to_string())?;
        } else if case.expected.is_empty() {
            failures.push("it expects nothing yet: run the test with UPDATE_CASES=1, and read what comes out\n".to_owned());
        } else {
            failures.push(TextDiff::from_lines(&expected, &found).unified_diff().header("expected", "found").to_string());
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}
