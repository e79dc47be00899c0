//! What a history came to, in numbers.

use super::Replayed;
use std::collections::BTreeMap;
use std::fmt;

/// What became of a derived `down`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Down {
    /// The schema is what it was.
    Restores,
    /// It ran, and the schema is another one.
    Differs,
    /// The server refused it.
    Fails,
    /// None can be derived, for these reasons.
    None(Vec<String>),
}

/// How many migrations have which kind of `down`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Downs {
    /// The schema is what it was.
    pub restore: usize,
    /// It ran, and the schema is another one.
    pub differ: usize,
    /// The server refused it.
    pub fail: usize,
    /// None can be derived.
    pub none: usize,
}

impl Downs {
    /// Of those that were derived, how many of a hundred restore the schema.
    #[must_use]
    pub fn percent(&self) -> f64 {
        percent(self.restore, self.restore + self.differ + self.fail)
    }
}

/// The numbers of a history.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// How many migrations.
    pub migrations: usize,
    /// How many statements, without those that an `include` leaves out.
    pub statements: usize,
    /// How many operations: an `alter table` has several.
    pub operations: usize,
    /// How many of them the model has no operation for, by kind.
    pub opaque: BTreeMap<String, usize>,
    /// What the model finds wrong.
    pub errors: usize,
    /// How many migrations the server refuses.
    pub refused: usize,
    /// In how many respects model and catalog differ.
    pub differences: usize,
    /// How many migrations do something else as rendered.
    pub rendered: usize,
    /// The ways back of migrations for all of which the model has operations.
    pub typed: Downs,
    /// The ways back of the others, where statements that write data are left out.
    pub mixed: Downs,
    /// Why there is none, and how often.
    pub reasons: BTreeMap<String, usize>,
    /// What the lints find, by lint; only where they were asked.
    pub findings: BTreeMap<&'static str, usize>,
}

impl Summary {
    pub(super) fn count(&mut self, replayed: &Replayed) {
        self.migrations += 1;
        self.statements += replayed.statements;
        self.operations += replayed.steps.len();
        self.errors += replayed.problems.len();
        for (kind, number) in &replayed.opaque {
            *self.opaque.entry(kind.clone()).or_default() += number;
        }
    }

    pub(super) fn count_down(&mut self, replayed: &Replayed, down: Down) {
        let downs = if replayed.is_typed() { &mut self.typed } else { &mut self.mixed };
        match down {
            Down::Restores => downs.restore += 1,
            Down::Differs => downs.differ += 1,
            Down::Fails => downs.fail += 1,
            Down::None(reasons) => {
                downs.none += 1;
                for reason in reasons {
                    *self.reasons.entry(without_names(&reason)).or_default() += 1;
                }
            }
        }
    }

    /// How many operations of a hundred the model has none for.
    #[must_use]
    pub fn opaque_percent(&self) -> f64 {
        percent(self.opaque.values().sum(), self.operations)
    }

    /// Whether everything is as it should be.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let downs = self.typed.differ + self.typed.fail + self.mixed.differ + self.mixed.fail;
        self.errors + self.refused + self.differences + self.rendered + downs == 0
    }
}

/// A message without what stands in backticks, unless it is a kind of statement.
fn without_names(message: &str) -> String {
    let parts = message.split('`').enumerate();
    let names_object = |part: &str| part.contains(['.', '_']) || !part.contains(' ');
    let parts = parts.map(|(i, part)| if i % 2 == 1 && names_object(part) { "…" } else { part });
    parts.collect::<Vec<_>>().join("`")
}

#[expect(clippy::cast_precision_loss, reason = "counts of statements are small")]
fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

fn most_first<K>(counts: &BTreeMap<K, usize>) -> impl Iterator<Item = (&K, usize)> {
    let mut sorted: Vec<_> = counts.iter().map(|(key, number)| (key, *number)).collect();
    sorted.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    sorted.into_iter()
}

impl fmt::Display for Downs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { restore, differ, fail, none } = self;
        write!(f, "{restore} restore, {differ} differ, {fail} fail ({:.1} %), {none} can't be derived", self.percent())
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} migrations, {} statements, {} operations", self.migrations, self.statements, self.operations)?;
        let kinds: Vec<_> = most_first(&self.opaque).map(|(kind, number)| format!("{kind} {number}")).collect();
        writeln!(f, "opaque: {:.1} % ({})", self.opaque_percent(), kinds.join(", "))?;
        writeln!(f, "errors of the model: {}", self.errors)?;
        if !self.findings.is_empty() {
            writeln!(f, "findings of lints: {}", self.findings.values().sum::<usize>())?;
            return most_first(&self.findings).try_for_each(|(lint, number)| writeln!(f, "    {number} times: {lint}"));
        }
        writeln!(f, "refused by the server: {}", self.refused)?;
        writeln!(f, "differences between model and catalog: {}", self.differences)?;
        writeln!(f, "migrations that do something else as rendered: {}", self.rendered)?;
        writeln!(f, "downs of typed migrations: {}", self.typed)?;
        writeln!(f, "downs of the others, data left out: {}", self.mixed)?;
        most_first(&self.reasons).try_for_each(|(reason, number)| writeln!(f, "    none {number} times: {reason}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_counted_whatever_they_name() {
        assert_eq!(without_names("column `a.b` is `not null`"), "column `…` is `not null`");
        assert_eq!(without_names("`create function` is run as it stands"), "`create function` is run as it stands");
        assert_eq!(without_names("nothing is known of table `a`"), "nothing is known of table `…`");
    }

    #[test]
    fn a_history_without_downs_has_no_percentage_to_be_proud_of() {
        assert!(Downs::default().percent().abs() < f64::EPSILON);
        assert!((Downs { restore: 1, differ: 1, fail: 0, none: 5 }.percent() - 50.0).abs() < f64::EPSILON);
    }
}
