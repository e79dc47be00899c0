//! Chains of migrations, made while a test runs.

use migrate_core::checksum::checksum;
use migrate_core::name::QualifiedName;
use migrate_core::replay;
use migrate_core::report::Report;
use migrate_core::schema::{Origin, Presence, Schema};
use migrate_core::step::{Action, Dialect, Step};
use migrate_runtime::{BatchFunction, Down, Migration, Migrations, StepFunction};

/// A migration that is being written. Its name is `m_` and its revision, and each of its statements has a line.
#[derive(Clone, Default)]
pub struct Draft {
    revision: &'static str,
    parents: Vec<&'static str>,
    up: Vec<Step>,
    down: Option<Vec<Step>>,
    irreversible: Option<&'static str>,
    functions: Vec<(&'static str, StepFunction)>,
    batch_functions: Vec<(&'static str, BatchFunction)>,
}

impl Draft {
    pub fn new(revision: &'static str, parents: &[&'static str]) -> Self {
        Self { revision, parents: parents.to_vec(), ..Self::default() }
    }

    fn push(mut self, steps: impl IntoIterator<Item = Step>) -> Self {
        for mut step in steps {
            step.line = u32::try_from(self.up.len() + 1).unwrap();
            self.up.push(step);
        }
        self
    }

    pub fn up(self, sql: &str) -> Self {
        self.push(replay::steps(sql).unwrap())
    }

    pub fn optional(self, sql: &str) -> Self {
        self.push(replay::steps(sql).unwrap().into_iter().map(|step| match step.action {
            Action::Change(operation) => Step::new(Action::Declare { presence: Presence::Optional, operation }, step.line),
            other => panic!("{other:?} can't be declared"),
        }))
    }

    pub fn if_exists(self, sql: &str) -> Self {
        self.push(replay::steps(sql).unwrap().into_iter().map(|step| Step { if_exists: true, ..step }))
    }

    /// A statement in SQLite's own language.
    pub fn sqlite(self, sql: &str) -> Self {
        let step = Step::new(Action::Change(migrate_core::ops::Opaque::sqlite(sql.to_owned()).into()), 1);
        self.push([Step { dialect: Some(Dialect::Sqlite), ..step }])
    }

    pub fn run(mut self, name: &'static str, function: StepFunction) -> Self {
        self.functions.push((name, function));
        self.push([Step::new(Action::Run { function: name.to_owned() }, 1)])
    }

    /// A Rust step that gets the rows of a table in batches.
    pub fn run_over(mut self, name: &'static str, function: BatchFunction, table: &str, batch: u32) -> Self {
        self.batch_functions.push((name, function));
        let operation = migrate_core::ops::Backfill::run(name.to_owned(), QualifiedName::public(table), batch);
        self.push([Step::new(Action::Change(operation.into()), 1)])
    }

    pub fn assert(self, message: &str, query: &str) -> Self {
        self.push([Step::new(Action::Assert { message: message.to_owned(), query: query.to_owned() }, 1)])
    }

    pub fn down(mut self, sql: &str) -> Self {
        self.down = Some(replay::steps(sql).unwrap());
        self
    }

    pub fn irreversible(mut self, reason: &'static str) -> Self {
        self.irreversible = Some(reason);
        self
    }

    fn leak(self) -> &'static Migration {
        let json = |steps: &[Step]| -> &'static str { serde_json::to_string(steps).unwrap().leak() };
        let checksum = checksum(&self.up, self.down.as_deref().unwrap_or_default());
        Box::leak(Box::new(Migration {
            revision: self.revision,
            parents: self.parents.leak(),
            name: format!("m_{}", self.revision).leak(),
            file: format!("src/migrations/m_{}.rs", self.revision).leak(),
            summary: "",
            checksum: checksum.leak(),
            up: json(&self.up),
            down: match (self.irreversible, &self.down) {
                (Some(reason), _) => Down::Irreversible(reason),
                (None, Some(down)) => Down::Written(json(down)),
                (None, None) => Down::Derived,
            },
            functions: self.functions.leak(),
            batch_functions: self.batch_functions.leak(),
        }))
    }
}

/// The chain of these migrations, checked as the macro would.
pub fn chain(drafts: Vec<Draft>) -> Migrations {
    let mut schema = Schema::default();
    let mut migrations = Vec::new();
    for mut draft in drafts {
        for step in &mut draft.up {
            let mut report = Report::default();
            step.replay(&mut schema, &Origin { migration: draft.revision.to_owned(), file: None, line: step.line }, &mut report);
            assert!(report.is_empty(), "{}: {:?}", draft.revision, report.problems);
        }
        let mut undone = schema.clone();
        for step in draft.down.iter_mut().flatten() {
            step.replay(&mut undone, &Origin::default(), &mut Report::default());
        }
        migrations.push(draft.leak());
    }
    Migrations::new(migrations.leak())
}
