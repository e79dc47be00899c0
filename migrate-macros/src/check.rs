//! Checks one migration against the chain and the schema before it.

use std::path::Path;

use migrate_core::chain::Node;
use migrate_core::operation::{Operate, Operation};
use migrate_core::replay::derive_down;
use migrate_core::report;
use migrate_core::schema::{Origin, Schema};
use migrate_core::sqlite;
use migrate_core::step::{Action, Step};

use crate::ancestry::{self, Before};
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
    /// Whether databases have run it, so that nothing can be changed in it any more.
    pub locked: bool,
}

/// Checks everything and reports all that is wrong at once.
pub fn check(migration: &Migration, report: &mut Report) -> Checked {
    let file = siblings::current_file();
    let line = |place: Place| report.line(place);
    let Steps { mut up, mut down, problems, includes } = steps::read(migration, file.as_deref(), &line);
    let name = file.as_deref().map_or_else(|| migration.name.value.clone(), |file| ancestry::name_of(file, &migration.name.value));
    let syntax = !problems.is_empty();
    for problem in problems {
        report.problem(problem.place, problem.message, problem.help);
    }
    let locked = file.as_deref().map(|file| Locked::of(migration, file, &name)).unwrap_or_default();
    // where an editor doesn't tell the file, nothing is known of the ancestors: then less is checked
    let before = file.as_deref().and_then(|file| before(file, migration, report));
    let mut schema = before.as_ref().map(|before| (*before.schema).clone()).unwrap_or_default();
    let base = schema.clone();
    up = steps::settle(up, &base);
    let found = replay(&mut up, &mut schema, &name);
    let reliable = before.as_ref().is_some_and(|before| !before.broken) && !syntax;
    if reliable {
        tell(&found, &up, report);
    }
    let mut derived = Vec::new();
    if let Some(down) = &mut down {
        let found = replay(down, &mut schema, &name);
        if reliable && report.problems().is_empty() {
            tell(&found, down, report);
        }
    }
    if reliable
        && report.problems().is_empty()
        && let Some(sqlite) = before.as_ref().and_then(|before| before.sqlite.as_deref())
    {
        both_dialects(&up, down.as_deref().unwrap_or_default(), sqlite, report);
    }
    if let Some(file) = file.as_deref().filter(|_| reliable && report.problems().is_empty()) {
        locked.check(migration, &up, down.as_deref().unwrap_or_default(), file, report);
    }
    if down.is_none() && migration.irreversible.is_none() && reliable && report.problems().is_empty() {
        derived = derive(&up, &base, report);
    }
    let plain = |steps: Vec<LocatedStep>| steps.into_iter().map(|located| located.step).collect();
    Checked {
        name,
        file: file.map(|file| file.display().to_string()).unwrap_or_default(),
        up: plain(up),
        down: down.map(plain),
        derived,
        includes,
        locked: locked.is_locked(),
    }
}

/// The schema before the migration; `None` if it can't be known, which has been reported.
fn before(file: &Path, migration: &Migration, report: &mut Report) -> Option<Before> {
    let header = migration.header.as_ref()?;
    let folder = match siblings::folder_of(file) {
        Ok(folder) => folder,
        Err(error) => {
            report.unreadable(Place::CALL_SITE, &error.to_string());
            return None;
        }
    };
    let members = ancestry::members(&folder);
    let revision = header.revision.value.as_str();
    let own =
        |member: &ancestry::Member<'_>| same_file(&member.file.path, file) && member.migration.migration.name.value == migration.name.value;
    let position = members.iter().position(own);
    let twin = members.iter().take(position.unwrap_or(members.len())).find(|member| member.node.revision == revision);
    if let Some(twin) = twin {
        let line = twin.migration.migration.header.as_ref().map_or(0, |header| twin.migration.line(header.revision.place));
        report.duplicate_revision(header.revision.place, revision, &twin.node.name, line);
        return None;
    }
    let mut known = true;
    // one without a revision may be the parent; it has told already that it has none
    let nameless = folder.files.iter().flat_map(|file| &file.source.migrations).any(|other| other.migration.header.is_none());
    for parent in &header.parents {
        if !members.iter().any(|member| member.node.revision == parent.value) {
            known = false;
            if nameless {
                continue;
            }
            let revisions = members.iter().map(|member| member.node.revision.as_str()).filter(|other| *other != revision);
            let nearest = report::nearest_of(&parent.value, revisions).map(str::to_owned);
            let unreadable = folder.errors.first().map(ToString::to_string);
            report.unknown_parent(parent.place, &parent.value, nearest.as_deref(), unreadable.as_deref());
        }
    }
    let parents: Vec<String> = header.parents.iter().map(|parent| parent.value.clone()).collect();
    let name = ancestry::name_of(file, &migration.name.value);
    known.then(|| ancestry::before(&folder, &members, &Node { revision: revision.to_owned(), parents, name }))
}

fn same_file(left: &Path, right: &Path) -> bool {
    left == right || left.file_name() == right.file_name()
}

/// A problem of core, and the index of the step that it is about.
type Found = Vec<(usize, report::Problem)>;

fn replay(steps: &mut [LocatedStep], schema: &mut Schema, name: &str) -> Found {
    let mut found = Vec::new();
    // one report for all: what a mistake keeps from being there is not missed below
    let mut report = report::Report::default();
    for (i, located) in steps.iter_mut().enumerate() {
        let origin = located.step.origin(name);
        located.step.replay(schema, &origin, &mut report);
        found.extend(report.problems.drain(..).map(|problem| (i, problem)));
    }
    found
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
                        Action::Change(Operation::Opaque(_)) | Action::Run { .. } => "no way back can be derived".to_owned(),
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
