//! The chain around one migration, and the schema that its ancestors leave.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use migrate_core::chain::{self, Node};
use migrate_core::report;
use migrate_core::schema::Schema;
use migrate_core::sqlite;

use crate::siblings::{Folder, SourceFile};
use crate::sources::SourceMigration;
use crate::steps::{self, LocatedStep};

/// How many schemas are kept. Modules are expanded in the order of the list, so the last ones are those that are asked
/// for; a merge asks for a few more.
const KEPT: usize = 8;

/// What stands before a migration.
#[derive(Clone, Debug, Default)]
pub struct Before {
    pub schema: Arc<Schema>,
    /// The same as SQLite has it, where the chain is for SQLite too.
    pub sqlite: Option<Arc<Schema>>,
    /// Whether an ancestor has problems of its own: then what is missing here may be only its echo.
    pub broken: bool,
}

/// A migration of the folder.
pub struct Member<'a> {
    pub file: &'a SourceFile,
    pub migration: &'a SourceMigration,
    pub node: Node,
}

/// The migrations of the folder, in the order of the list where there is one, otherwise by file.
pub fn members(folder: &Folder) -> Vec<Member<'_>> {
    let mut members: Vec<Member<'_>> = Vec::new();
    for file in &folder.files {
        for migration in &file.source.migrations {
            let Some(header) = &migration.migration.header else { continue };
            let node = Node {
                revision: header.revision.value.clone(),
                parents: header.parents.iter().map(|parent| parent.value.clone()).collect(),
                name: name_of(&file.path, &migration.migration.name.value),
            };
            members.push(Member { file, migration, node });
        }
    }
    let listed: Vec<&String> = folder.files.iter().flat_map(|file| &file.source.lists).flat_map(|list| &list.modules).collect();
    let rank = |member: &Member<'_>| listed.iter().position(|name| **name == member.node.name).unwrap_or(usize::MAX);
    members.sort_by_key(rank);
    members
}

/// What people call a migration: its file, unless that is the file of the whole crate.
pub fn name_of(file: &Path, module: &str) -> String {
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or(module);
    if matches!(stem, "main" | "lib" | "mod") { module.to_owned() } else { stem.to_owned() }
}

type Key = (PathBuf, u64);

static SCHEMAS: Mutex<VecDeque<(Key, Before)>> = Mutex::new(VecDeque::new());

/// The schema that the ancestors of a migration leave.
pub fn before(folder: &Folder, members: &[Member<'_>], node: &Node) -> Before {
    let for_sqlite = folder.list_of(&node.name).is_some_and(|(_, list)| list.for_sqlite);
    let empty = Before { sqlite: for_sqlite.then(Arc::default), ..Before::default() };
    let Some(lineage) = lineage(members, &node.revision, &node.parents) else { return Before { broken: true, ..empty } };
    // the hash of a migration's text and of all before it
    let mut hashes: Vec<u64> = Vec::new();
    let mut state = DefaultHasher::new();
    for_sqlite.hash(&mut state);
    for member in &lineage {
        member.file.text.hash(&mut state);
        member.node.revision.hash(&mut state);
        hashes.push(state.finish());
    }
    let known = hashes.iter().enumerate().rev().find_map(|(i, hash)| Some((i, recall(&(folder.path.clone(), *hash))?)));
    let (first, mut before) = known.map_or((0, empty), |(i, before)| (i + 1, before));
    for member in lineage.iter().skip(first) {
        replay(member, &mut before);
    }
    if let Some(hash) = hashes.get(first..).unwrap_or_default().last() {
        remember((folder.path.clone(), *hash), &before);
    }
    before
}

/// All that comes before a migration with these `parents`, parents first; `None` where something comes before itself.
pub fn lineage<'a, 'm>(members: &'a [Member<'m>], revision: &str, parents: &[String]) -> Option<Vec<&'a Member<'m>>> {
    let by_revision: BTreeMap<&str, &Member<'_>> = members.iter().map(|member| (member.node.revision.as_str(), member)).collect();
    let mut nodes: Vec<Node> = members.iter().filter(|member| member.node.revision != revision).map(|member| member.node.clone()).collect();
    nodes.push(Node { revision: revision.to_owned(), parents: parents.to_vec(), name: String::new() });
    let wanted = chain::ancestors(&nodes, revision);
    if wanted.contains(revision) {
        return None;
    }
    let ancestors: Vec<Node> = nodes.iter().filter(|node| wanted.contains(node.revision.as_str())).cloned().collect();
    let order = order(&ancestors)?;
    Some(order.into_iter().filter_map(|i| by_revision.get(ancestors[i].revision.as_str()).copied()).collect())
}

/// Parents first. Several heads are no problem here: they are several ancestors of a merge.
fn order(ancestors: &[Node]) -> Option<Vec<usize>> {
    let mut closed = ancestors.to_vec();
    let revisions = closed.iter().map(|node| node.revision.clone()).collect();
    closed.push(Node { revision: String::new(), parents: revisions, name: String::new() });
    let mut order = chain::order(&closed).ok()?;
    order.pop();
    Some(order)
}

/// Replays a migration on what is before it and gives its steps as they were bound, `up!` and `down!`.
pub fn replay(member: &Member<'_>, before: &mut Before) -> (Vec<LocatedStep>, Vec<LocatedStep>) {
    let line = |place| member.migration.line(place);
    let steps = steps::read(&member.migration.migration, Some(&member.file.path), &line);
    before.broken |= !member.migration.problems.is_empty() || !steps.problems.is_empty();
    let schema = Arc::make_mut(&mut before.schema);
    let mut report = report::Report::default();
    let mut up = steps::settle(steps.up, schema);
    for located in &mut up {
        let origin = located.step.origin(&member.node.name);
        located.step.replay(schema, &origin, &mut report);
        if let Some(sqlite) = &mut before.sqlite {
            sqlite::replay(&located.step, Arc::make_mut(sqlite), &origin);
        }
    }
    before.broken |= !report.is_empty();
    (up, steps.down.unwrap_or_default())
}

fn recall(key: &Key) -> Option<Before> {
    let kept = SCHEMAS.lock().unwrap_or_else(PoisonError::into_inner);
    kept.iter().find(|(known, _)| known == key).map(|(_, before)| before.clone())
}

fn remember(key: Key, before: &Before) {
    let mut kept = SCHEMAS.lock().unwrap_or_else(PoisonError::into_inner);
    kept.retain(|(known, _)| *known != key);
    kept.push_back((key, before.clone()));
    while kept.len() > KEPT {
        kept.pop_front();
    }
}
