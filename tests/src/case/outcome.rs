//! What a case does in the model, without a server.

use super::{Case, CaseError, properties};
use migrate_core::effects::{Effects, TransactionNeed};
use migrate_core::lints::{self, Branch, Finding, Levels};
use migrate_core::lower::SyntaxProblem;
use migrate_core::operation::{Operate, Operation};
use migrate_core::replay::{self, Irreversible, Undo};
use migrate_core::report::Problem;
use migrate_core::schema::{Origin, Schema};
use migrate_core::step::{Action, Step};
use std::fmt::Write as _;

/// What came of replaying a case.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The schema that the base makes.
    pub before: Schema,
    /// The steps of the migration, with all names filled in.
    pub steps: Vec<Step>,
    /// The schema after the migration.
    pub after: Schema,
    /// What undoes the migration.
    pub down: Result<Vec<Undo>, Vec<Irreversible>>,
    /// What is wrong with the migration, as the section `errors` shows it; empty if nothing is.
    pub errors: String,
    /// What the lints find, each with the name of its lint, as the section `lints` shows it. Empty but in cases of lints.
    pub lints: Vec<(&'static str, String)>,
    /// What came of the safe sequence.
    pub instead: Option<Box<Self>>,
}

impl Case {
    /// Replays the case in the model.
    pub fn run(&self) -> Result<Outcome, CaseError> {
        let mut before = Schema::default();
        let wrong = |problems| CaseError::Base { problems };
        let mut base = replay::steps(&self.base).map_err(|problems| wrong(syntax_errors(&self.base, &problems)))?;
        let report = replay::replay(&mut base, &mut before, "base");
        if !report.is_empty() {
            return Err(wrong(errors(&self.base, &report.problems)));
        }
        let mut after = before.clone();
        let mut steps = match replay::steps(&self.migration) {
            Ok(steps) => steps,
            Err(problems) => {
                let errors = syntax_errors(&self.migration, &problems);
                return Ok(Outcome { before, steps: Vec::new(), after, down: Ok(Vec::new()), errors, lints: Vec::new(), instead: None });
            }
        };
        for step in &mut steps {
            step.as_written = self.as_written;
        }
        let report = replay::replay(&mut steps, &mut after, "migration");
        let down = replay::derive_down(&steps, &before);
        let errors = errors(&self.migration, &report.problems);
        let branch = self.branch(&before)?;
        let found = if self.lints { lints::lint(&steps, &before, &after, &branch, &Levels::default()) } else { Vec::new() };
        let lints = found.iter().map(|found| (found.lint.name, finding(&self.migration, found))).collect();
        let instead = self.of_instead().map(|instead| instead.run().map(Box::new)).transpose()?;
        Ok(Outcome { before, steps, after, down, errors, lints, instead })
    }

    fn branch(&self, before: &Schema) -> Result<Vec<Branch>, CaseError> {
        let Some(sql) = &self.branch else { return Ok(Vec::new()) };
        let wrong = |problems| CaseError::Base { problems };
        let mut steps = replay::steps(sql).map_err(|problems| wrong(syntax_errors(sql, &problems)))?;
        let mut schema = before.clone();
        let report = replay::replay(&mut steps, &mut schema, "branch");
        if !report.is_empty() {
            return Err(wrong(errors(sql, &report.problems)));
        }
        Ok(vec![Branch::new("branch", &steps, before)])
    }
}

impl Outcome {
    /// The SQL of `up`, a statement an item.
    #[must_use]
    pub fn sql_up(&self) -> Vec<String> {
        self.operations().flat_map(Operate::render).collect()
    }

    /// The SQL of `down`, a statement an item, where there is one.
    #[must_use]
    pub fn sql_down(&self) -> Option<Vec<String>> {
        let undos = self.down.as_ref().ok()?;
        Some(undos.iter().flat_map(|undo| &undo.operations).flat_map(Operate::render).collect())
    }

    /// The operations of `up`.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.steps.iter().filter_map(|step| match &step.action {
            Action::Change(operation) => Some(operation),
            _ => None,
        })
    }

    /// The effects of each operation of `up`.
    #[must_use]
    pub fn effects(&self) -> Vec<Effects> {
        let mut schema = self.before.clone();
        let each = self.operations().map(|operation| {
            let effects = operation.effects(&schema);
            operation.apply(&mut schema, &Origin::default());
            effects
        });
        each.collect()
    }

    /// The sections that the case file should have.
    #[must_use]
    pub fn sections(&self) -> Vec<(String, String)> {
        if !self.errors.is_empty() {
            return vec![("errors".to_owned(), self.errors.clone())];
        }
        let down = match &self.down {
            Ok(_) => script(&self.sql_down().unwrap_or_default()),
            Err(irreversible) => irreversible.iter().flat_map(|it| ["-- none: ", &it.reason.reason, "\n"]).collect(),
        };
        let sections = [
            ("sql up", script(&self.sql_up())),
            ("sql down", down),
            ("schema after", self.after.print()),
            ("effects", self.effects_text()),
        ];
        sections.into_iter().map(|(name, body)| (name.to_owned(), body)).collect()
    }

    /// The sections of a case that shows what lints find.
    #[must_use]
    pub fn lint_sections(&self) -> Vec<(String, String)> {
        if !self.errors.is_empty() {
            return vec![("errors".to_owned(), self.errors.clone())];
        }
        let mut sections = vec![("lints".to_owned(), self.lints_text()), ("effects".to_owned(), self.effects_text())];
        for (name, text) in self.instead.iter().flat_map(|instead| instead.lint_sections()) {
            let nothing = name == "lints" && text.is_empty();
            sections.extend(Some((format!("{name} instead"), text)).filter(|_| !nothing));
        }
        sections
    }

    fn lints_text(&self) -> String {
        self.lints.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("\n")
    }

    fn effects_text(&self) -> String {
        self.operations().zip(self.effects()).map(|(operation, effects)| effects_line(operation, &effects)).collect()
    }

    /// Every rule that holds for all cases and is broken by this one.
    #[must_use]
    pub fn violations(&self, case: &Case) -> Vec<String> {
        if !self.errors.is_empty() {
            return Vec::new();
        }
        let instead = self.instead.iter().flat_map(|instead| instead.violations(&case.of_instead().unwrap_or_else(|| case.clone())));
        properties::violations(case, self).into_iter().chain(instead).collect()
    }
}

/// Statements as one text.
pub(super) fn script(statements: &[String]) -> String {
    statements.iter().flat_map(|statement| [statement, ";\n"]).collect()
}

fn effects_line(operation: &Operation, effects: &Effects) -> String {
    let names = |tables: &[migrate_core::name::QualifiedName]| tables.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let locks: Vec<_> = effects.locks.iter().map(|(table, mode)| format!("{} on {table}", mode.pg_locks_name())).collect();
    let mut parts = vec![match (effects.unknown, locks.is_empty()) {
        (true, _) => "unknown".to_owned(),
        (false, true) => "no lock".to_owned(),
        (false, false) => locks.join(", "),
    }];
    if !effects.rewrites.is_empty() {
        parts.push(format!("rewrites {}", names(&effects.rewrites)));
    }
    if !effects.scans.is_empty() {
        parts.push(format!("scans {}", names(&effects.scans)));
    }
    if effects.loses_data {
        parts.push("loses data".to_owned());
    }
    if effects.breaks_readers {
        parts.push("breaks readers".to_owned());
    }
    match effects.transaction {
        TransactionNeed::Inside => {}
        TransactionNeed::Outside => parts.push("outside a transaction".to_owned()),
        TransactionNeed::CommitBeforeUse => parts.push("commit before use".to_owned()),
    }
    format!("{}: {}\n", operation.describe(), parts.join("; "))
}

fn syntax_errors(sql: &str, problems: &[SyntaxProblem]) -> String {
    let problem = |problem: &SyntaxProblem| Problem {
        at: (problem.at.start, problem.at.end),
        message: problem.message.clone(),
        notes: Vec::new(),
        help: problem.help(|name| format!("\"{name}\"")),
    };
    errors(sql, &problems.iter().map(problem).collect::<Vec<_>>())
}

fn errors(sql: &str, problems: &[Problem]) -> String {
    let mut sorted: Vec<_> = problems.iter().collect();
    sorted.sort_by_key(|problem| problem.at);
    sorted.into_iter().map(|problem| excerpt(sql, "error", problem)).collect::<Vec<_>>().join("\n")
}

fn finding(sql: &str, found: &Finding) -> String {
    excerpt(sql, &format!("{}[{}]", found.lint.level.name(), found.lint.name), &found.problem)
}

/// The message, the line with carets under what is wrong, and the notes.
fn excerpt(sql: &str, what: &str, problem: &Problem) -> String {
    let text = problem.text();
    let (message, rest) = text.split_once('\n').map_or((text.as_str(), None), |(message, rest)| (message, Some(rest)));
    let mut out = format!("{what}: {message}\n");
    let (start, end) = (problem.at.0 as usize, problem.at.1 as usize);
    if (start, end) != (0, 0)
        && let Some(before) = sql.get(..start)
    {
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        let line = sql[line_start..].lines().next().unwrap_or_default();
        let number = before.matches('\n').count() + 1;
        let marked = sql.get(start..end.min(line_start + line.len())).unwrap_or_default();
        let margin = " ".repeat(number.to_string().len());
        let indent = " ".repeat(sql[line_start..start].chars().count());
        let carets = "^".repeat(marked.chars().count().max(1));
        let _ = write!(out, "{number} | {line}\n{margin} | {indent}{carets}\n");
    }
    if let Some(rest) = rest {
        out.push_str(rest);
        out.push('\n');
    }
    out
}
