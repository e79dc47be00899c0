//! Checks one migration against the chain and the schema before it.

use std::path::Path;

use migrate_core::chain::Node;
use migrate_core::effects::Effects;
use migrate_core::lints::{Branch, Levels};
use migrate_core::name::QualifiedName;
use migrate_core::operation::{Operate, Operation};
use migrate_core::replay::derive_down;
use migrate_core::report;
use migrate_core::schema::{Origin, Schema};
use migrate_core::sqlite;
use migrate_core::step::{Action, Dialect, Step};

use crate::ancestry::{self, Before, Member};
use crate::as_written;
use crate::lints::{self, Acknowledged};
use crate::lock::Locked;
use crate::module::Migration;
use crate::report::{Place, Report};
use crate::siblings;
use crate::steps::{self, LocatedStep, Steps};

/// A migration that is ready to be emitted.
#[derive(Debug, Default)]
pub struct Checked {
    /// What people call it.
    pub name: String,
    /// The file that it stands in, as the compiler names it.
    pub file: String,
    pub up: Vec<Step>,
    pub down: Option<Vec<Step>>,
    /// The SQL of the derived way back, for the documentation.
    pub derived: Vec<String>,
    pub includes: Vec<String>,
    /// What each step of `up!` does to a running system, given the tables that were there before the migration.
    pub effects: Vec<Effects>,
    /// The same of `down!`.
    pub down_effects: Vec<Effects>,
    /// The schema at each `run` step.
    pub at_runs: Vec<Schema>,
    /// Whether the ancestors are known, and nothing is wrong with them.
    pub reliable: bool,
    /// Whether databases have run it, so that nothing can be changed in it any more.
    pub locked: bool,
    /// What the lints find and the author knows about.
    pub acknowledged: Vec<Acknowledged>,
}

/// Checks everything and reports all that is wrong at once.
pub fn check(migration: &Migration, report: &mut Report) -> Checked {
    let revision = migration.header.as_ref().map(|header| header.revision.value.as_str());
    let file = siblings::current_file(|source| {
        let headers = source.migrations.iter().filter_map(|other| other.migration.header.as_ref());
        revision.is_some_and(|revision| headers.map(|header| header.revision.value.as_str()).any(|other| other == revision))
    });
    let line = |place: Place| report.line(place);
    let Steps { mut up, mut down, problems, includes } = steps::read(migration, file.as_deref(), &line);
    let name = file.as_deref().map_or_else(|| migration.name.value.clone(), |file| ancestry::name_of(file, &migration.name.value));
    let syntax = !problems.is_empty();
    for problem in problems {
        report.problem(problem.place, problem.message, problem.help);
    }
    let locked = file.as_deref().map(|file| Locked::of(migration, file, &name)).unwrap_or_default();
    // where no file is found for what an editor expands, nothing is known of the ancestors: then less is checked
    let around = file.as_deref().and_then(|file| around(file, migration, &name, report));
    let before = around.as_ref().map(|around| &around.before);
    let mut schema = before.map(|before| (*before.schema).clone()).unwrap_or_default();
    let base = schema.clone();
    up = steps::settle(up, &base);
    let Replayed { found, mut at_runs, effects } = replay(&mut up, &mut schema, &name, &base);
    let reliable = before.is_some_and(|before| !before.broken) && !syntax;
    if reliable {
        tell(&found, &up, report);
    }
    let sound = reliable && report.problems().is_empty();
    // what databases have run is history
    let judged = around.as_ref().filter(|around| sound && around.for_postgres && !locked.is_locked());
    let end = schema.clone();
    let (mut derived, mut down_effects) = (Vec::new(), Vec::new());
    if let Some(down) = &mut down {
        let Replayed { found, at_runs: runs, effects } = replay(down, &mut schema, &name, &end);
        at_runs.extend(runs);
        down_effects = effects;
        if sound {
            tell(&found, down, report);
        }
    }
    if sound
        && report.problems().is_empty()
        && let Some(sqlite) = before.and_then(|before| before.sqlite.as_deref())
    {
        both_dialects(&up, down.as_deref().unwrap_or_default(), sqlite, report);
    }
    if let Some(file) = file.as_deref().filter(|_| sound && report.problems().is_empty()) {
        locked.check(migration, &up, down.as_deref().unwrap_or_default(), file, report);
    }
    if down.is_none() && migration.irreversible.is_none() && sound && report.problems().is_empty() {
        derived = derive(&up, &base, report);
    }
    let is_new = judged.is_some();
    let acknowledged =
        judged.map(|around| lints::judge(migration, &up, (&base, &end), &around.branches, &around.levels, report)).unwrap_or_default();
    if is_new {
        as_written::judge(&up, down.as_deref().unwrap_or_default(), &base, report);
    }
    let plain = |steps: Vec<LocatedStep>| steps.into_iter().map(|located| located.step).collect();
    Checked {
        name,
        file: file.map(|file| file.display().to_string()).unwrap_or_default(),
        up: plain(up),
        down: down.map(plain),
        derived,
        includes,
        effects,
        down_effects,
        at_runs,
        reliable,
        locked: locked.is_locked(),
        acknowledged,
    }
}

/// What is known of the chain around a migration.
struct Around {
    before: Before,
    levels: Levels,
    branches: Vec<Branch>,
    for_postgres: bool,
}

/// What stands around the migration; `None` if it can't be known, which has been reported.
fn around(file: &Path, migration: &Migration, name: &str, report: &mut Report) -> Option<Around> {
    let header = migration.header.as_ref()?;
    let folder = match siblings::folder_of(file) {
        Ok(folder) => folder,
        Err(error) => {
            report.unreadable(Place::CALL_SITE, &error.to_string());
            return None;
        }
    };
    let members = folder.members();
    let revision = header.revision.value.as_str();
    let own = |member: &Member| same_file(&member.file.path, file) && member.migration.migration.name.value == migration.name.value;
    let first = members.with_revision(revision).first().map(|i| (*i, &members.all[*i])).filter(|(_, member)| !own(member));
    let twin = first.filter(|(first, _)| members.all.iter().position(own).is_none_or(|position| *first < position));
    if let Some((_, twin)) = twin {
        let line = twin.migration.migration.header.as_ref().map_or(0, |header| twin.migration.line(header.revision.place));
        report.duplicate_revision(header.revision.place, revision, &twin.node.name, line);
        return None;
    }
    let mut known = true;
    for parent in &header.parents {
        if members.with_revision(&parent.value).is_empty() {
            known = false;
            // one without a revision may be the parent; it has told already that it has none
            if folder.files.iter().flat_map(|file| &file.source.migrations).any(|other| other.migration.header.is_none()) {
                continue;
            }
            let revisions = members.all.iter().map(|member| member.node.revision.as_str()).filter(|other| *other != revision);
            let nearest = report::nearest_of(&parent.value, revisions).map(str::to_owned);
            let unreadable = folder.errors.first().map(ToString::to_string);
            report.unknown_parent(parent.place, &parent.value, nearest.as_deref(), unreadable.as_deref());
        }
    }
    let parents: Vec<String> = header.parents.iter().map(|parent| parent.value.clone()).collect();
    let list = folder.list_of(name).map(|(_, list)| list);
    known.then(|| Around {
        before: ancestry::before(&folder, &Node { revision: revision.to_owned(), parents, name: name.to_owned() }),
        levels: list.map(|list| list.levels.clone()).unwrap_or_default(),
        branches: ancestry::branches(&folder, revision),
        for_postgres: list.is_none_or(|list| !list.without_postgres),
    })
}

fn same_file(left: &Path, right: &Path) -> bool {
    left == right || left.file_name() == right.file_name()
}

/// A problem of core, and the index of the step that it is about.
type Found = Vec<(usize, report::Problem)>;

/// What is known of steps on a schema, without any complaint.
#[cfg(test)]
pub fn on(base: &Schema, steps: Steps, name: &str) -> Checked {
    let mut schema = base.clone();
    let Steps { mut up, mut down, .. } = steps;
    let Replayed { effects, at_runs, .. } = replay(&mut up, &mut schema, name, base);
    let after = schema.clone();
    let down_effects = down.as_mut().map(|down| replay(down, &mut schema, name, &after).effects).unwrap_or_default();
    let plain = |steps: Vec<LocatedStep>| steps.into_iter().map(|located| located.step).collect();
    Checked { up: plain(up), down: down.map(plain), effects, down_effects, at_runs, ..Checked::default() }
}

/// What a replay shows.
struct Replayed {
    found: Found,
    at_runs: Vec<Schema>,
    effects: Vec<Effects>,
}

fn replay(steps: &mut [LocatedStep], schema: &mut Schema, name: &str, base: &Schema) -> Replayed {
    let mut replayed = Replayed { found: Vec::new(), at_runs: Vec::new(), effects: Vec::new() };
    // one report for all: what a mistake keeps from being there is not missed below
    let mut report = report::Report::default();
    for (i, located) in steps.iter_mut().enumerate() {
        let origin = located.step.origin(name);
        if located.step.function().is_some() {
            replayed.at_runs.push(schema.clone());
        }
        replayed.effects.push(effects(&located.step, name, schema, base));
        located.step.replay(schema, &origin, &mut report);
        replayed.found.extend(report.problems.drain(..).map(|problem| (i, problem)));
    }
    replayed
}

/// What a step does to a running system: a table that is as new as the migration has no readers and no rows.
fn effects(step: &Step, name: &str, schema: &Schema, base: &Schema) -> Effects {
    let Action::Change(operation) = &step.action else { return Effects::default() };
    if step.dialect == Some(Dialect::Sqlite) {
        return Effects::default();
    }
    let mut operation = operation.clone();
    operation.bind(schema);
    let mut effects = operation.effects(schema);
    // one that was renamed by a step before is not there under that name
    let renamed = |table: &QualifiedName| schema.table(table).is_some_and(|table| table.origin.migration != name);
    let is_old = |table: &QualifiedName| base.relation_kind(table).is_some() || renamed(table);
    effects.locks.retain(|(table, _)| is_old(table));
    effects.rewrites.retain(is_old);
    effects.scans.retain(is_old);
    effects
}

fn tell(found: &Found, steps: &[LocatedStep], report: &mut Report) {
    for (i, problem) in found {
        let located = &steps[*i];
        let mut message = located.message(problem.at, &problem.message);
        for note in &problem.notes {
            message.push_str("\nnote: ");
            message.push_str(note);
        }
        report.problem(located.place(problem.at), message, problem.help.clone());
    }
}

/// What SQLite can't do, once a statement. What is there before it was replayed for SQLite.
fn both_dialects(up: &[LocatedStep], down: &[LocatedStep], sqlite: &Schema, report: &mut Report) {
    let mut schema = sqlite.clone();
    let mut last = None;
    for located in up.iter().chain(down) {
        let place = (located.head(), located.step.line);
        if let Err(unsupported) = sqlite::can_do(&located.step, &schema)
            && last != Some(place)
        {
            report.unsupported(place.0, &located.message((0, 0), &unsupported.message), &unsupported.help);
            last = Some(place);
        }
        sqlite::replay(&located.step, &mut schema, &Origin::default());
    }
}

/// The SQL of the derived way back. What has none is reported, once a statement.
fn derive(up: &[LocatedStep], base: &Schema, report: &mut Report) -> Vec<String> {
    let steps: Vec<Step> = up.iter().map(|located| located.step.clone()).collect();
    match derive_down(&steps, base) {
        Ok(undo) => undo.iter().flat_map(|undo| &undo.operations).flat_map(Operation::render).collect(),
        Err(irreversible) => {
            let mut last = None;
            for step in irreversible {
                let located = &up[step.step];
                let place = located.head();
                if last != Some(place) {
                    let message = match &located.step.action {
                        Action::Change(Operation::Opaque(_) | Operation::Backfill(_)) | Action::Run { .. } => {
                            "no way back can be derived".to_owned()
                        }
                        Action::Change(operation) => format!("no way back from {}", operation.describe()),
                        Action::Declare { .. } | Action::Assert { .. } => format!("no way back from {}", located.step.describe()),
                    };
                    report.no_inverse(place, &located.message((0, 0), &message), &step.reason.reason);
                    last = Some(place);
                }
            }
            Vec::new()
        }
    }
}
