//! The chain around one migration, and the schema that its ancestors leave.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use migrate_core::chain::{self, Node};
use migrate_core::lints::Branch;
use migrate_core::report;
use migrate_core::schema::Schema;
use migrate_core::sqlite;
use migrate_core::step::Step;

use crate::siblings::{self, Folder, SourceFile};
use crate::sources::SourceMigration;
use crate::steps::{self, LocatedStep};

/// How many schemas are kept: enough for every migration of a long chain. The compiler expands modules from the last one
/// to the first, and schemas that follow each other share nearly all they have.
const KEPT: usize = 4_096;

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
#[derive(Debug)]
pub struct Member {
    pub file: Arc<SourceFile>,
    pub migration: Arc<SourceMigration>,
    pub node: Node,
}

/// All migrations of a folder, and what is known of how they follow each other.
#[derive(Debug, Default)]
pub struct Members {
    /// In the order of the list where there is one, otherwise by file.
    pub all: Vec<Member>,
    by_revision: BTreeMap<String, Vec<usize>>,
    /// How many there are that no other one follows.
    heads: usize,
    /// For PostgreSQL, and for SQLite too.
    states: [OnceLock<Vec<Option<u64>>>; 2],
}

impl Members {
    /// The migrations in these files.
    pub fn of(files: &[Arc<SourceFile>]) -> Self {
        let mut all: Vec<Member> = Vec::new();
        for file in files {
            for migration in &file.source.migrations {
                let Some(header) = &migration.migration.header else { continue };
                let node = Node {
                    revision: header.revision.value.clone(),
                    parents: header.parents.iter().map(|parent| parent.value.clone()).collect(),
                    name: name_of(&file.path, &migration.migration.name.value),
                };
                all.push(Member { file: Arc::clone(file), migration: Arc::clone(migration), node });
            }
        }
        let mut ranks: BTreeMap<&str, usize> = BTreeMap::new();
        for name in files.iter().flat_map(|file| &file.source.lists).flat_map(|list| &list.modules) {
            let rank = ranks.len();
            ranks.entry(name).or_insert(rank);
        }
        all.sort_by_cached_key(|member| ranks.get(member.node.name.as_str()).copied().unwrap_or(usize::MAX));
        let mut by_revision: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (i, member) in all.iter().enumerate() {
            by_revision.entry(member.node.revision.clone()).or_default().push(i);
        }
        let parents: BTreeSet<&str> = all.iter().flat_map(|member| member.node.parents.iter().map(String::as_str)).collect();
        let heads = all.iter().filter(|member| !parents.contains(member.node.revision.as_str())).count();
        Self { all, by_revision, heads, states: [OnceLock::new(), OnceLock::new()] }
    }

    /// The indices of all that have this revision.
    pub fn with_revision(&self, revision: &str) -> &[usize] {
        self.by_revision.get(revision).map(Vec::as_slice).unwrap_or_default()
    }

    fn only(&self, revision: &str) -> Option<usize> {
        if let [only] = self.with_revision(revision) { Some(*only) } else { None }
    }

    /// What tells the schema behind each member from any other one; `None` where what comes before it isn't known.
    fn states(&self, for_sqlite: bool) -> &[Option<u64>] {
        self.states[usize::from(for_sqlite)].get_or_init(|| {
            let texts: Vec<u64> = self.all.iter().map(text_hash).collect();
            let mut states = vec![None; self.all.len()];
            let mut children: Vec<Vec<usize>> = vec![Vec::new(); self.all.len()];
            let mut missing: Vec<usize> = vec![0; self.all.len()];
            let mut open = Vec::new();
            for (i, member) in self.all.iter().enumerate() {
                let parents = &member.node.parents;
                // with the same revision twice, or without a parent, it is never reached
                let known = self.only(&member.node.revision).and_then(|_| parents.iter().map(|parent| self.only(parent)).collect());
                let Some(known): Option<Vec<usize>> = known else { continue };
                missing[i] = known.len();
                if known.is_empty() {
                    open.push(i);
                }
                for parent in known {
                    children[parent].push(i);
                }
            }
            while let Some(i) = open.pop() {
                let node = &self.all[i].node;
                let before = match node.parents.as_slice() {
                    [] => Some(start(for_sqlite)),
                    [parent] => self.only(parent).and_then(|parent| states[parent]),
                    parents => lineage(&self.all, &node.revision, parents)
                        .map(|line| line.into_iter().fold(start(for_sqlite), |state, member| behind(state, text_hash(member)))),
                };
                states[i] = before.map(|before| behind(before, texts[i]));
                for &child in &children[i] {
                    missing[child] -= 1;
                    if missing[child] == 0 {
                        open.push(child);
                    }
                }
            }
            states
        })
    }

    /// Whether `revision` is one of those before the member, or the member itself.
    fn comes_after(&self, member: usize, revision: &str) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![member];
        while let Some(i) = open.pop() {
            let mut line = i;
            // nearly all have one parent: then nothing has to be remembered
            loop {
                let node = &self.all[line].node;
                if node.revision == revision {
                    return true;
                }
                match node.parents.as_slice() {
                    [] => break,
                    [parent] => match self.only(parent) {
                        Some(parent) => line = parent,
                        None => break,
                    },
                    parents => {
                        if seen.insert(line) {
                            open.extend(parents.iter().filter_map(|parent| self.only(parent)));
                        }
                        break;
                    }
                }
            }
        }
        false
    }
}

/// The hash of all that a member's steps are read from.
fn text_hash(member: &Member) -> u64 {
    let mut state = DefaultHasher::new();
    member.file.text.hash(&mut state);
    member.node.revision.hash(&mut state);
    for path in member.migration.migration.includes() {
        siblings::include(&member.file.path, path).ok().map(|include| include.text.clone()).hash(&mut state);
    }
    state.finish()
}

/// What the hashes of states begin with.
fn start(for_sqlite: bool) -> u64 {
    behind(0, u64::from(for_sqlite))
}

fn behind(state: u64, text: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    (state, text).hash(&mut hasher);
    hasher.finish()
}

/// What people call a migration: its file, unless that is the file of the whole crate.
pub fn name_of(file: &Path, module: &str) -> String {
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or(module);
    if matches!(stem, "main" | "lib" | "mod") { module.to_owned() } else { stem.to_owned() }
}

/// The migrations that no later one has merged with this one yet.
pub fn branches(folder: &Folder, revision: &str) -> Vec<Branch> {
    let members = folder.members();
    if members.heads < 2 {
        return Vec::new();
    }
    let members = &members.all;
    let nodes: Vec<Node> = members.iter().map(|member| member.node.clone()).collect();
    let parents: BTreeSet<&str> = nodes.iter().flat_map(|node| node.parents.iter().map(String::as_str)).collect();
    let heads: Vec<&str> = nodes.iter().map(|node| node.revision.as_str()).filter(|head| !parents.contains(head)).collect();
    let lines = heads.iter().map(|head| {
        let mut line = chain::ancestors(&nodes, head);
        line.insert(head);
        line
    });
    let own: BTreeSet<_> = lines.filter(|line| line.contains(revision)).flatten().collect();
    let others = members.iter().filter(|member| !own.contains(member.node.revision.as_str()));
    others.map(|member| branch(folder, member)).collect()
}

fn branch(folder: &Folder, member: &Member) -> Branch {
    let before = before(folder, &member.node);
    let (up, _) = replay(member, &mut before.clone());
    let steps: Vec<Step> = up.into_iter().map(|located| located.step).collect();
    Branch::new(&member.node.name, &steps, &before.schema)
}

type Key = (PathBuf, u64);

/// Schemas by what was replayed to get there, and their keys in the order in which they came.
struct Kept {
    schemas: BTreeMap<Key, Before>,
    order: VecDeque<Key>,
}

static KEPT_SCHEMAS: Mutex<Kept> = Mutex::new(Kept { schemas: BTreeMap::new(), order: VecDeque::new() });

/// The schema that the ancestors of a migration leave.
pub fn before(folder: &Folder, node: &Node) -> Before {
    let members = folder.members();
    let for_sqlite = folder.list_of(&node.name).is_some_and(|(_, list)| list.for_sqlite);
    let empty = Before { sqlite: for_sqlite.then(Arc::default), ..Before::default() };
    let line = match node.parents.as_slice() {
        [] => Some(Vec::new()),
        [parent] => {
            let parent = members.only(parent).filter(|parent| !members.comes_after(*parent, &node.revision));
            parent.and_then(|parent| unknown_line(folder, parent, for_sqlite))
        }
        parents => merged_line(folder, &node.revision, parents, for_sqlite),
    };
    let Some(line) = line else { return Before { broken: true, ..empty } };
    let mut before = empty;
    for (member, key) in line {
        if let Some(known) = recall(&key) {
            before = known;
        } else {
            replay(member, &mut before);
            remember(key, &before);
        }
    }
    before
}

/// What has to be replayed for the schema behind a member, the first one of which may be known; `None` where that
/// can't be done.
fn unknown_line(folder: &Folder, member: usize, for_sqlite: bool) -> Option<Vec<(&Member, Key)>> {
    let members = folder.members();
    let states = members.states(for_sqlite);
    let mut line = Vec::new();
    let mut next = Some(member);
    while let Some(i) = next {
        let key = (folder.path.clone(), states[i]?);
        let (member, is_known) = (&members.all[i], recall(&key).is_some());
        line.push((member, key));
        next = match member.node.parents.as_slice() {
            _ if is_known => None,
            [] => None,
            [parent] => members.only(parent),
            parents => {
                let mut whole = merged_line(folder, &member.node.revision, parents, for_sqlite)?;
                line.reverse();
                whole.extend(line);
                return Some(whole);
            }
        };
    }
    line.reverse();
    Some(line)
}

/// The same of all before a merge.
fn merged_line<'f>(folder: &'f Folder, revision: &str, parents: &[String], for_sqlite: bool) -> Option<Vec<(&'f Member, Key)>> {
    let mut state = start(for_sqlite);
    let mut line = Vec::new();
    for member in lineage(&folder.members().all, revision, parents)? {
        state = behind(state, text_hash(member));
        line.push((member, (folder.path.clone(), state)));
    }
    let known = line.iter().rposition(|(_, key)| recall(key).is_some());
    Some(line.split_off(known.unwrap_or(0)))
}

/// All that comes before a migration with these `parents`, parents first; `None` where something comes before itself.
pub fn lineage<'a>(members: &'a [Member], revision: &str, parents: &[String]) -> Option<Vec<&'a Member>> {
    let by_revision: BTreeMap<&str, &Member> = members.iter().map(|member| (member.node.revision.as_str(), member)).collect();
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
pub fn replay(member: &Member, before: &mut Before) -> (Vec<LocatedStep>, Vec<LocatedStep>) {
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
    let kept = KEPT_SCHEMAS.lock().unwrap_or_else(PoisonError::into_inner);
    kept.schemas.get(key).cloned()
}

fn remember(key: Key, before: &Before) {
    let mut kept = KEPT_SCHEMAS.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.schemas.insert(key.clone(), before.clone()).is_none() {
        kept.order.push_back(key);
    }
    while kept.order.len() > KEPT {
        if let Some(oldest) = kept.order.pop_front() {
            kept.schemas.remove(&oldest);
        }
    }
}
