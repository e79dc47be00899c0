//! What the journal of a database says.

use crate::{Error, Migration, Migrations, Result};
use indexmap::IndexMap;
use migrate_core::report::nearest_of;
use std::collections::{BTreeMap, BTreeSet};

/// What became of an operation on this database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was run.
    Applied,
    /// It had been done already, identically.
    Satisfied,
    /// What it works on is missing, and optional.
    Skipped,
    /// It has begun outside of a transaction; whether it was done is for the catalog to say.
    Started,
    /// It failed, and its transaction was rolled back.
    Failed,
    /// `down` reversed it.
    Reverted,
}

impl Outcome {
    /// As the journal spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Satisfied => "satisfied",
            Self::Skipped => "skipped",
            Self::Started => "started",
            Self::Failed => "failed",
            Self::Reverted => "reverted",
        }
    }

    /// Reads the journal's spelling.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        Ok(match text {
            "applied" => Self::Applied,
            "satisfied" => Self::Satisfied,
            "skipped" => Self::Skipped,
            "started" => Self::Started,
            "failed" => Self::Failed,
            "reverted" => Self::Reverted,
            other => return Err(Error::Format { doing: "reading the journal", reason: format!("unknown outcome `{other}`") }),
        })
    }
}

/// How far a revision has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevisionState {
    /// All of its operations are accounted for.
    Applied,
    /// Some of its segments are committed; the next `up` goes on.
    Started,
    /// Recorded by `stamp`, without running anything.
    Stamped,
}

impl RevisionState {
    /// As the journal spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Started => "started",
            Self::Stamped => "stamped",
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        Ok(match text {
            "applied" => Self::Applied,
            "started" => Self::Started,
            "stamped" => Self::Stamped,
            other => return Err(Error::Format { doing: "reading the journal", reason: format!("unknown state `{other}`") }),
        })
    }
}

/// A recorded revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevisionRow {
    /// The revision.
    pub revision: String,
    /// The migration's name when it was recorded.
    pub name: String,
    /// Its checksum then.
    pub checksum: String,
    /// How far it has come.
    pub state: RevisionState,
    /// When, as the database prints it, in UTC.
    pub recorded_at: String,
}

/// What is recorded of one operation, the latest word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationRow {
    /// Its revision.
    pub revision: String,
    /// Its number in the revision, from 1.
    pub number: usize,
    /// What it does.
    pub operation: String,
    /// Whether it is one of `down`, which counts its own.
    pub reverses: bool,
    /// What became of it.
    pub outcome: Outcome,
    /// Why: the missing object of a skip.
    pub evidence: String,
}

/// What the journal says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The format of the journal's tables; `None` where there is no journal.
    pub format: Option<i32>,
    /// The recorded revisions, oldest first.
    pub revisions: IndexMap<String, RevisionRow>,
    /// The latest word on every operation that is skipped, or belongs to a revision that isn't done, since the revision was
    /// last reversed.
    pub operations: Vec<OperationRow>,
}

impl History {
    /// The row of a revision.
    #[must_use]
    pub fn revision(&self, revision: &str) -> Option<&RevisionRow> {
        self.revisions.get(revision)
    }

    /// Whether the revision is done: applied or stamped.
    #[must_use]
    pub fn is_done(&self, revision: &str) -> bool {
        self.revision(revision).is_some_and(|row| row.state != RevisionState::Started)
    }

    /// Whether the revision was recorded without running anything.
    #[must_use]
    pub fn is_stamped(&self, revision: &str) -> bool {
        self.revision(revision).is_some_and(|row| row.state == RevisionState::Stamped)
    }

    /// The operations that are skipped for now.
    pub fn skipped(&self) -> impl Iterator<Item = &OperationRow> {
        self.operations.iter().filter(|row| row.outcome == Outcome::Skipped)
    }

    /// Whether `down` has begun with the revision, and committed a part of it.
    #[must_use]
    pub fn is_half_reversed(&self, revision: &str) -> bool {
        self.revision(revision).is_some_and(|row| row.state == RevisionState::Started)
            && self.operations.iter().any(|row| row.revision == revision && row.reverses)
    }

    /// The latest word on the operations of one revision, by number.
    #[must_use]
    pub fn outcomes(&self, revision: &str) -> BTreeMap<usize, &OperationRow> {
        self.operations.iter().filter(|row| row.revision == revision && !row.reverses).map(|row| (row.number, row)).collect()
    }

    /// Makes sure that the chain and the database tell the same story.
    pub(crate) fn validate(&self, chain: Migrations) -> Result<()> {
        let known: BTreeSet<&str> = chain.migrations.iter().map(|migration| migration.revision).collect();
        if let Some(row) = self.revisions.values().find(|row| !known.contains(row.revision.as_str())) {
            return Err(Error::History {
                problem: format!("the database is at revision `{}` (`{}`), which this binary doesn't know", row.revision, row.name),
                help: "deploy the version that has that migration, or bring its file back".to_owned(),
            });
        }
        for migration in chain.migrations {
            let Some(row) = self.revision(migration.revision) else { continue };
            if row.checksum != migration.checksum {
                return Err(Error::History {
                    problem: format!("`{}` (revision {}) was changed after it was applied", migration.name, migration.revision),
                    help: format!("restore {} as it was on {}, and write the change as a new migration", migration.file, row.recorded_at),
                });
            }
            if let Some(parent) = migration.parents.iter().find(|parent| !self.is_done(parent)) {
                return Err(Error::History {
                    problem: format!("the history has diverged: `{}` is recorded, but its parent `{parent}` is not", migration.name),
                    help: format!("find out who recorded it; `migrate stamp {parent}` says that the parent was done by other means"),
                });
            }
        }
        Ok(())
    }

    /// The migrations that aren't done, in their order, up to and including `target`. An error, where one is half reversed:
    /// what is left of it may be anything, and whoever wanted to go back knows whether that still holds.
    pub(crate) fn pending(&self, chain: Migrations, target: Option<&str>) -> Result<Vec<&'static Migration>> {
        if let Some(half) = chain.migrations.iter().find(|migration| self.is_half_reversed(migration.revision)) {
            return Err(Error::History {
                problem: format!("`{}` is half reversed: `down` was interrupted after a part of it was committed", half.name),
                help: "run `migrate down` again, which goes on from there, and `migrate up` after that".to_owned(),
            });
        }
        let pending = chain.migrations.iter().copied().filter(|migration| !self.is_done(migration.revision));
        let Some(target) = target else { return Ok(pending.collect()) };
        let target = resolve(chain, target)?;
        let nodes = nodes(chain);
        let before = migrate_core::chain::ancestors(&nodes, target.revision);
        Ok(pending.filter(|migration| migration.revision == target.revision || before.contains(migration.revision)).collect())
    }
}

/// A revision that a database stands at.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Head {
    /// The revision.
    pub revision: String,
    /// The migration's name.
    pub name: String,
}

/// The migrations that are done and that none that is done follows.
pub(crate) fn heads(chain: Migrations, is_done: impl Fn(&str) -> bool) -> Vec<Head> {
    let done: Vec<&Migration> = chain.migrations.iter().copied().filter(|migration| is_done(migration.revision)).collect();
    let followed: BTreeSet<&str> = done.iter().flat_map(|migration| migration.parents.iter().copied()).collect();
    let heads = done.iter().filter(|migration| !followed.contains(migration.revision));
    heads.map(|migration| Head { revision: migration.revision.to_owned(), name: migration.name.to_owned() }).collect()
}

/// The graph of a chain.
pub(crate) fn nodes(chain: Migrations) -> Vec<migrate_core::chain::Node> {
    let node = |migration: &&'static Migration| migrate_core::chain::Node {
        revision: migration.revision.to_owned(),
        parents: migration.parents.iter().map(|parent| (*parent).to_owned()).collect(),
        name: migration.name.to_owned(),
    };
    chain.migrations.iter().map(node).collect()
}

/// The migration that a person means: by revision, by an unambiguous beginning of it, by name, or `head`.
pub(crate) fn resolve(chain: Migrations, text: &str) -> Result<&'static Migration> {
    if text == "head"
        && let Some(last) = chain.migrations.last()
    {
        return Ok(last);
    }
    let exact = chain.migrations.iter().copied().find(|migration| migration.revision == text || migration.name == text);
    if let Some(migration) = exact {
        return Ok(migration);
    }
    let mut starting = chain.migrations.iter().copied().filter(|migration| text.len() >= 3 && migration.revision.starts_with(text));
    if let (Some(migration), None) = (starting.next(), starting.next()) {
        Ok(migration)
    } else {
        let known = chain.migrations.iter().flat_map(|migration| [migration.revision, migration.name]);
        Err(Error::UnknownRevision { revision: text.to_owned(), nearest: nearest_of(text, known).map(str::to_owned) })
    }
}
