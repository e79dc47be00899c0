//! What the lints find in a migration, and what its author and its chain say about that.

use std::fmt::Write as _;

use migrate_core::lints::{self, Branch, Finding, Level, Levels};
use migrate_core::schema::Schema;
use migrate_core::step::Step;

use crate::module::Migration;
use crate::report::{Place, Report};
use crate::statement::{Statement, StatementKind};
use crate::steps::LocatedStep;

/// A finding that its author knows about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// The index of the step.
    pub step: usize,
    pub lint: &'static str,
    pub reason: String,
}

/// Reports what the lints find in `up`, as replayed from `start` to `end`, and returns what is acknowledged.
pub fn judge(
    migration: &Migration,
    up: &[LocatedStep],
    (start, end): (&Schema, &Schema),
    branches: &[Branch],
    levels: &Levels,
    report: &mut Report,
) -> Vec<Acknowledged> {
    check_names(&migration.up, report);
    let steps: Vec<Step> = up.iter().map(|located| located.step.clone()).collect();
    let mut acknowledged = Vec::new();
    let mut used: Vec<Place> = Vec::new();
    for finding in lints::lint(&steps, start, end, branches, levels) {
        let located = &up[finding.step];
        if located.is_dumped() {
            continue;
        }
        let allow = located.allows.iter().find_map(|allow| {
            // a misspelt name has been told already
            let meant = |written: &str| if lints::find(written).is_some() { None } else { lints::nearest(written) };
            let is_named = |written: &str| written == finding.lint.name || meant(written) == Some(finding.lint.name);
            let lint = allow.lints.iter().find(|lint| is_named(&lint.value))?;
            Some((lint.place, allow.reason.value.clone()))
        });
        match allow {
            Some((place, reason)) => {
                used.push(place);
                acknowledged.push(Acknowledged { step: finding.step, lint: finding.lint.name, reason });
            }
            None => tell(&finding, located, levels, report),
        }
    }
    tell_unused(&migration.up, &used, levels, report);
    acknowledged.dedup();
    acknowledged
}

fn tell(finding: &Finding, located: &LocatedStep, levels: &Levels, report: &mut Report) {
    let (problem, name) = (&finding.problem, finding.lint.name);
    let at = if problem.at == (0, 0) { located.head() } else { located.place(problem.at) };
    let mut message = located.message(problem.at, &problem.message);
    for note in &problem.notes {
        message.push_str("\nnote: ");
        message.push_str(note);
    }
    let _ = write!(message, "\nnote: where this is meant, say so before the statement: `#[allow({name}, reason = \"…\")]`");
    match levels.of(finding.lint) {
        Level::Deny => report.problem(at, message, problem.help.clone()),
        Level::Warn => report.warning(at, name, message, problem.help.as_deref()),
        Level::Allow => {}
    }
}

/// Every `#[allow]` in the blocks.
fn allows(statements: &[Statement]) -> Vec<&crate::statement::Text> {
    let mut found = Vec::new();
    for statement in statements {
        found.extend(statement.allows.iter().flat_map(|allow| &allow.lints));
        match &statement.kind {
            StatementKind::IfExists { body, .. } | StatementKind::Dialect { body, .. } => found.extend(allows(body)),
            StatementKind::Sql(_) | StatementKind::Include { .. } | StatementKind::Run { .. } | StatementKind::Assert { .. } => {}
        }
    }
    found
}

fn check_names(statements: &[Statement], report: &mut Report) {
    for lint in allows(statements) {
        if lints::find(&lint.value).is_none() {
            report.unknown_lint(lint.place, &lint.value, lints::nearest(&lint.value));
        }
    }
}

/// An acknowledgement of nothing says something wrong about its statement.
fn tell_unused(statements: &[Statement], used: &[Place], levels: &Levels, report: &mut Report) {
    for name in allows(statements) {
        let Some(lint) = lints::find(&name.value) else { continue };
        if levels.of(lint) != Level::Allow && !used.contains(&name.place) {
            report.unused_allow(name.place, &name.value);
        }
    }
}
