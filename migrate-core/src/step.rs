//! A migration as the macro emits it and the engine reads it: a list of steps.

use crate::name::QualifiedName;
use crate::operation::{Operate, Operation};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Presence, Schema};
use serde::{Deserialize, Serialize};

/// One step of a migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What it does.
    pub action: Action,
    /// Whether its author wrote `if exists`: what it works on may be unknown, and is optional.
    #[serde(default)]
    pub if_exists: bool,
    /// The table of the `if exists table … { }` that it stands in: where that is missing, the step is skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<QualifiedName>,
    /// Whether it is to be run as its author wrote it, and in the transaction that it stands in, on a large table too. How it is
    /// run is no part of what it does: the checksum doesn't know.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub as_written: bool,
    /// The tables whose rows its statement goes over, as far as its text tells: it changes, deletes or copies them, and
    /// doesn't name them by values. Told by the text, so the checksum doesn't need it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub goes_over: Vec<QualifiedName>,
    /// The only dialect that it is for.
    #[serde(default)]
    pub dialect: Option<Dialect>,
    /// The file that it stands in, if that isn't the migration's own: an included one.
    #[serde(default)]
    pub file: Option<String>,
    /// Its line in that file, from 1.
    #[serde(default)]
    pub line: u32,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Changes the schema or the data.
    Change(Operation),
    /// Declares what only some deployments have, or what all have but this chain doesn't own. Nothing is run.
    Declare {
        /// `Optional` or `External`.
        presence: Presence,
        /// What would create it.
        operation: Operation,
    },
    /// Calls a Rust function with the transaction at hand.
    Run {
        /// Its path as written.
        function: String,
    },
    /// Stops the migration unless the query gives rows, none of which has `false` or null in its first column.
    Assert {
        /// What to say.
        message: String,
        /// The query.
        query: String,
    },
}

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// PostgreSQL 13 to 18.
    Postgres,
    /// SQLite 3.
    Sqlite,
}

impl Dialect {
    /// What OpenTelemetry's semantic conventions call it: a value of `db.system.name`.
    #[must_use]
    pub fn system(self) -> &'static str {
        match self {
            Self::Postgres => "postgresql",
            Self::Sqlite => "sqlite",
        }
    }
}

impl Step {
    /// A step of the migration's own file, for every dialect.
    #[must_use]
    pub fn new(action: Action, line: u32) -> Self {
        Self { action, if_exists: false, when: None, as_written: false, goes_over: Vec::new(), dialect: None, file: None, line }
    }

    /// As a person says it.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.action {
            Action::Change(operation) => operation.describe(),
            Action::Declare { presence, operation } => {
                let presence = if *presence == Presence::Optional { "optional" } else { "external" };
                format!("declare {presence}: {}", operation.describe())
            }
            Action::Run { function } => format!("run `{function}`"),
            Action::Assert { message, .. } => format!("assert \"{message}\""),
        }
    }

    /// The Rust function that it calls, by its path as written, if it does.
    #[must_use]
    pub fn function(&self) -> Option<&str> {
        match &self.action {
            Action::Run { function } => Some(function),
            Action::Change(Operation::Backfill(backfill)) => backfill.function(),
            Action::Change(_) | Action::Declare { .. } | Action::Assert { .. } => None,
        }
    }

    /// Whether the model can't know what it works on: `if exists` of something that no migration created.
    #[must_use]
    pub fn is_unchecked(&self, schema: &Schema) -> bool {
        let unknown = |table: &QualifiedName| schema.relation_kind(table).is_none();
        if self.when.as_ref().is_some_and(unknown) {
            return true;
        }
        let Action::Change(operation) = &self.action else { return false };
        // what it touches besides the first may be new
        let named = operation.touches().into_iter().next();
        self.if_exists
            && match named {
                Some(ObjectKey::Index(index)) => unknown(&index),
                Some(key) => key.table().map_or_else(|| schema.definition(&key).is_none(), unknown),
                None => operation.requires().iter().any(|key| key.table().is_some_and(unknown)),
            }
    }

    /// Reports what is wrong with the step, given the schema before it.
    pub fn check_only(&mut self, schema: &Schema, report: &mut Report) {
        if let Action::Change(operation) | Action::Declare { operation, .. } = &mut self.action {
            operation.bind(schema);
            operation.check(schema, report);
        }
    }

    /// Who does it, in the migration of that name.
    #[must_use]
    pub fn origin(&self, migration: &str) -> Origin {
        Origin { migration: migration.to_owned(), file: self.file.clone(), line: self.line }
    }

    /// Replays the step: names what is unnamed, reports what is wrong, and leaves `schema` as it is afterwards.
    /// The model is PostgreSQL's: what is for SQLite alone leaves it as it was.
    pub fn replay(&mut self, schema: &mut Schema, origin: &Origin, report: &mut Report) {
        if self.is_unchecked(schema) || self.dialect == Some(Dialect::Sqlite) {
            return;
        }
        match &mut self.action {
            Action::Change(operation) => replay(operation, schema, origin, report),
            Action::Declare { presence, operation } => {
                replay(operation, schema, origin, report);
                if let Operation::CreateTable(created) = operation
                    && let Some(table) = schema.tables.get_mut(&created.table.name)
                {
                    table.presence = *presence;
                }
            }
            Action::Run { .. } | Action::Assert { .. } => {}
        }
    }
}

#[cfg(all(test, feature = "parser"))]
mod tests {
    use crate::checksum::of_step;
    use crate::replay::{replay, steps};
    use crate::schema::Schema;

    #[test]
    fn how_a_step_is_run_is_no_part_of_what_it_does() {
        let step = steps("alter table t alter column a set not null").unwrap().remove(0);
        let as_written = super::Step { as_written: true, ..step.clone() };
        assert_eq!(of_step(&as_written), of_step(&step));
        let (plain, told) = (serde_json::to_string(&step).unwrap(), serde_json::to_string(&as_written).unwrap());
        assert!(!plain.contains("as_written") && told.contains("\"as_written\":true"), "{plain} {told}");
        assert_eq!(serde_json::from_str::<super::Step>(&plain).unwrap(), step);
    }

    #[test]
    fn an_unknown_index_is_unchecked_only_where_it_may_be_absent() {
        let mut schema = Schema::default();
        replay(&mut steps("create table t (a int unique); create index i on t (a)").unwrap(), &mut schema, "m");
        for (sql, unchecked) in [
            ("drop index if exists nobody", true),
            ("drop index nobody", false),
            ("drop index if exists i", false),
            ("drop index if exists t_a_key", false),
            ("alter index if exists i rename to j", false),
            ("alter index if exists nobody rename to j", true),
            ("alter table if exists t rename to u", false),
        ] {
            assert_eq!(steps(sql).unwrap()[0].is_unchecked(&schema), unchecked, "{sql}");
        }
    }
}

fn replay(operation: &mut Operation, schema: &mut Schema, origin: &Origin, report: &mut Report) {
    operation.bind(schema);
    operation.check(schema, report);
    let mut arriving = operation.touches();
    arriving.retain(|key| schema.definition(key).is_none());
    operation.apply(schema, origin);
    for key in arriving {
        if schema.definition(&key).is_some() {
            schema.record_arrival(key, origin);
        }
    }
}
