//! What the lints find in a migration of a history.

use super::{Migration, Replayed};
use migrate_core::lints::{self, Levels};
use migrate_core::schema::Schema;

/// One thing that a lint found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The lint.
    pub lint: &'static str,
    /// File and line, the lint, and what it says.
    pub text: String,
}

/// What the lints find at their levels; nothing where the model finds something wrong: that has to be put right first.
pub(super) fn of(migration: &Migration, replayed: &Replayed, before: &Schema, after: &Schema) -> Vec<Finding> {
    if !replayed.problems.is_empty() {
        return Vec::new();
    }
    let found = lints::lint(&replayed.steps, before, after, &[], &Levels::default());
    let finding = |found: lints::Finding| {
        let line = replayed.steps.get(found.step).map(|step| step.line as usize);
        let place = match (found.problem.at, line) {
            ((0, 0), Some(line)) => format!("{}:{line}", migration.name),
            (at, _) => migration.place(at.0 as usize),
        };
        let text = found.problem.text().replace('\n', "\n    ");
        Finding { lint: found.lint.name, text: format!("{place}: {}: {text}", found.lint.name) }
    };
    found.into_iter().map(finding).collect()
}
