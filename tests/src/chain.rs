//! Chains of migrations that are written as text and made while a test runs: what a binary does can be tested with any
//! chain, also with one that is changed in between.
//!
//! ```text
//! === b354d12d1e7d m0001_baseline
//! create table documents (id uuid primary key);
//! === 65e4b4ef883d m0002_titles after b354d12d1e7d
//! --- optional
//! create table events (id uuid primary key);
//! --- up
//! alter table documents add column title text;
//! --- irreversible titles were lost before
//! ```
//! A migration is called by its line; lines are counted from the start of the text.

use migrate_core::checksum::checksum;
use migrate_core::replay;
use migrate_core::schema::{Origin, Presence, Schema};
use migrate_core::step::{Action, Step};
use migrate_runtime::{Down, Migration, Migrations};

/// The file that the migrations of a text claim to stand in.
pub const FILE: &str = "chain.txt";

#[derive(Debug, Default)]
struct Draft {
    revision: String,
    name: String,
    parents: Vec<&'static str>,
    up: Vec<Step>,
    down: Option<Vec<Step>>,
    irreversible: Option<String>,
}

/// The chain that the text describes. It is leaked, as a binary's constants live for ever.
///
/// # Panics
/// Where the text is no chain.
#[must_use]
pub fn chain(text: &str) -> Migrations {
    let mut schema = Schema::default();
    let mut migrations: Vec<&'static Migration> = Vec::new();
    for (first_line, section) in sections(text) {
        let mut draft = draft(first_line, section);
        for step in &mut draft.up {
            let mut report = migrate_core::report::Report::default();
            step.replay(&mut schema, &Origin { migration: draft.name.clone(), file: None, line: step.line }, &mut report);
            assert!(report.is_empty(), "{FILE}:{}: {:?}", step.line, report.problems);
        }
        migrations.push(leak(draft.into_migration()));
    }
    Migrations::new(Vec::leak(migrations))
}

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// The migrations of a text, each with the number of its first line.
fn sections(text: &str) -> Vec<(u32, Vec<&str>)> {
    let mut sections: Vec<(u32, Vec<&str>)> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        match sections.last_mut() {
            Some((_, section)) if !line.starts_with("===") => section.push(line),
            _ => sections.push((number, vec![line])),
        }
    }
    sections
}

fn draft(first_line: u32, section: Vec<&str>) -> Draft {
    let mut words = section[0].split_whitespace().skip(1).map(str::to_owned);
    let mut draft = Draft {
        revision: words.next().unwrap_or_else(|| panic!("{FILE}:{first_line}: a revision is missing")),
        name: words.next().unwrap_or_else(|| panic!("{FILE}:{first_line}: a name is missing")),
        ..Draft::default()
    };
    draft.parents = words.skip_while(|word| word == "after").map(|word| &*String::leak(word)).collect();
    let mut kind = "up";
    let mut block = String::new();
    let mut block_line = first_line + 1;
    for (number, line) in (first_line + 1..).zip(section.into_iter().skip(1)) {
        let Some(heading) = line.strip_prefix("--- ") else {
            block = format!("{block}{line}\n");
            continue;
        };
        draft.take(kind, &std::mem::take(&mut block), block_line);
        block_line = number + 1;
        kind = heading.split_once(' ').map_or(heading, |(kind, _)| kind);
        if kind == "irreversible" {
            draft.irreversible = heading.split_once(' ').map(|(_, reason)| reason.to_owned());
        }
    }
    draft.take(kind, &block, block_line);
    draft
}

impl Draft {
    fn take(&mut self, kind: &str, sql: &str, first_line: u32) {
        let mut steps = replay::steps(sql).unwrap_or_else(|problems| panic!("{FILE}:{first_line}: {problems:?}"));
        for step in &mut steps {
            step.line += first_line - 1;
        }
        let declare = |presence: Presence, steps: Vec<Step>| {
            let declared = steps.into_iter().map(move |step| match step.action {
                Action::Change(operation) => Step::new(Action::Declare { presence, operation }, step.line),
                other => panic!("{other:?} can't be declared"),
            });
            declared.collect::<Vec<_>>()
        };
        match kind {
            "up" => self.up.extend(steps),
            "optional" => self.up.extend(declare(Presence::Optional, steps)),
            "external" => self.up.extend(declare(Presence::External, steps)),
            "down" => self.down = Some(steps),
            "irreversible" => assert!(steps.is_empty(), "{FILE}:{first_line}: a block without a heading"),
            other => panic!("{FILE}:{first_line}: no block is called `{other}`"),
        }
    }

    fn into_migration(self) -> Migration {
        let json = |steps: &[Step]| &*String::leak(serde_json::to_string(steps).expect("steps are plain data"));
        let down = match (&self.down, self.irreversible) {
            (_, Some(reason)) => Down::Irreversible(String::leak(reason)),
            (Some(steps), None) => Down::Written(json(steps)),
            (None, None) => Down::Derived,
        };
        Migration {
            summary: String::leak(format!("Summary of {}", self.name)),
            revision: String::leak(self.revision),
            parents: Vec::leak(self.parents),
            name: String::leak(self.name),
            file: FILE,
            checksum: String::leak(checksum(&self.up, self.down.as_deref().unwrap_or_default())),
            up: json(&self.up),
            down,
            functions: &[],
            batch_functions: &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::chain;

    #[test]
    fn a_text_is_a_chain() {
        let text = "=== aaa m1\ncreate table a (id int primary key);\n=== bbb m2 after aaa\n--- optional\ncreate table o (id int);\n--- up\n\
                    \nalter table a add column b int;\n--- down\nalter table a drop column b;\n=== ccc m3 after aaa bbb\n--- irreversible no way\n";
        let chain = chain(text);
        let names: Vec<_> = chain.migrations.iter().map(|migration| (migration.revision, migration.name, migration.parents)).collect();
        let expected: [(&str, &str, &[&str]); 3] = [("aaa", "m1", &[]), ("bbb", "m2", &["aaa"]), ("ccc", "m3", &["aaa", "bbb"])];
        assert_eq!(names, expected);
        assert!(chain.migrations[1].up.contains("\"line\":8"), "{}", chain.migrations[1].up);
        assert!(matches!(chain.migrations[2].down, migrate_runtime::Down::Irreversible("no way")));
    }
}
