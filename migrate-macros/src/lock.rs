//! Whether a migration still is what was locked of it.

use std::path::Path;
use std::sync::Arc;

use migrate_core::lock::{Difference, FILE, LockedRevision, differences};
use migrate_core::report;
use migrate_core::step::Step;

use crate::ancestry::{self, Before, Member};
use crate::module::Migration;
use crate::report::{Place, Report};
use crate::siblings::{self, LockText};
use crate::steps::LocatedStep;

/// What the lock beside the list says of one migration.
#[derive(Clone, Debug, Default)]
pub struct Locked {
    lock: Option<Arc<LockText>>,
    revision: String,
}

impl Locked {
    /// Looks it up for a migration that stands in `file`. Without a list there is no lock.
    pub fn of(migration: &Migration, file: &Path, name: &str) -> Self {
        let Some(header) = &migration.header else { return Self::default() };
        // what can't be read is reported by the list
        let folder = siblings::folder_of(file).ok();
        let list = folder.as_deref().and_then(|folder| folder.list_of(name)).map(|(list, _)| list);
        let lock = list.and_then(|list| siblings::lock_beside(&list.path).ok().flatten());
        Self { lock, revision: header.revision.value.clone() }
    }

    /// Whether databases have run it, so that nothing can be changed in it any more. A lock that can't be read may say so.
    pub fn is_locked(&self) -> bool {
        self.lock.as_deref().is_some_and(|lock| lock.as_ref().map_or(true, |lock| lock.revisions.contains_key(&self.revision)))
    }

    fn revision(&self) -> Option<&LockedRevision> {
        self.lock.as_deref()?.as_ref().ok()?.revisions.get(&self.revision)
    }

    /// Reports what the migration, as it was replayed, does otherwise than it did when it was locked.
    pub fn check(&self, migration: &Migration, up: &[LocatedStep], down: &[LocatedStep], file: &Path, report: &mut Report) {
        let Some(locked) = self.revision() else { return };
        let found = differences(locked, &plain(up), &plain(down));
        if found.is_empty() || self.an_ancestor_changed(migration, file) {
            return;
        }
        let header = migration.header.as_ref().map_or(Place::CALL_SITE, |header| header.revision.place);
        for difference in found {
            match difference {
                Difference::Changed { down: is_down, index, was } => {
                    let located = if is_down { &down[index] } else { &up[index] };
                    let now = located.step.describe();
                    let message = located.message((0, 0), &format!("this is not what `{FILE}` has as {}", number(index, is_down)));
                    report.locked_operation_changed(located.head(), &self.revision, &message, &was.description, &now);
                }
                Difference::Added { down: is_down, index } => {
                    let located = if is_down { &down[index] } else { &up[index] };
                    let message = located.message((0, 0), "this operation has come since the migration was locked");
                    report.locked_operation_added(located.head(), &self.revision, &message);
                }
                Difference::Removed { down: is_down, index, was } => {
                    report.locked_operation_removed(header, &self.revision, &number(index, is_down), &was.description);
                }
            }
        }
    }

    /// Names that PostgreSQL chooses, and tables that a query may mean, depend on what is there: then the ancestor's own
    /// report is the one to read.
    fn an_ancestor_changed(&self, migration: &Migration, file: &Path) -> bool {
        let (Some(Ok(lock)), Some(header), Ok(folder)) = (self.lock.as_deref(), &migration.header, siblings::folder_of(file)) else {
            return false;
        };
        let parents: Vec<String> = header.parents.iter().map(|parent| parent.value.clone()).collect();
        let lineage = ancestry::lineage(&folder.members().all, &self.revision, &parents).unwrap_or_default();
        let mut before = Before::default();
        lineage.into_iter().any(|member| {
            let (up, down) = replay(member, &mut before);
            let locked = lock.revisions.get(&member.node.revision);
            locked.is_some_and(|locked| !differences(locked, &plain(&up), &plain(&down)).is_empty())
        })
    }
}

/// Replays a migration there and back, as its own expansion does.
fn replay(member: &Member, before: &mut Before) -> (Vec<LocatedStep>, Vec<LocatedStep>) {
    let (up, mut down) = ancestry::replay(member, before);
    let mut schema = (*before.schema).clone();
    for located in &mut down {
        let origin = located.step.origin(&member.node.name);
        located.step.replay(&mut schema, &origin, &mut report::Report::default());
    }
    (up, down)
}

fn plain(steps: &[LocatedStep]) -> Vec<Step> {
    steps.iter().map(|located| located.step.clone()).collect()
}

fn number(index: usize, is_down: bool) -> String {
    format!("operation {}{}", index + 1, if is_down { " of `down!`" } else { "" })
}
