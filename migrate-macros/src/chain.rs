//! Checks the list of a chain against the files beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use migrate_core::chain::{self, ChainProblem, Node};

use crate::ancestry::Member;
use crate::heads;
use crate::list::List;
use crate::report::{Place, Report};
use crate::siblings::{self, LockText};
use crate::sources::SourceList;

/// A chain that is ready to be emitted.
#[derive(Debug, Default)]
pub struct Chain {
    /// The listed modules in the order in which they are applied.
    pub modules: Vec<String>,
    /// The file of the list, as the compiler names it.
    pub file: String,
    /// Whether a lock stands beside it.
    pub has_lock: bool,
}

/// Checks the list and what stands beside it.
pub fn check(list: &List, report: &mut Report) -> Chain {
    let modules = |other: &SourceList| !list.modules.is_empty() && list.modules.iter().all(|module| other.modules.contains(&module.value));
    let Some(file) = siblings::current_file(|source| source.lists.iter().any(modules)) else {
        return Chain { modules: list.modules.iter().map(|module| module.value.clone()).collect(), ..Chain::default() };
    };
    let lock = siblings::lock_beside(&file).unwrap_or_else(|error| {
        report.unreadable(Place::CALL_SITE, &error.to_string());
        None
    });
    let modules = order(list, &file, lock.as_deref(), report);
    Chain { modules, file: file.display().to_string(), has_lock: lock.is_some() }
}

fn order(list: &List, file: &Path, lock: Option<&LockText>, report: &mut Report) -> Vec<String> {
    let modules: Vec<String> = list.modules.iter().map(|module| module.value.clone()).collect();
    let folder = match siblings::folder_of_list(file, modules.first().map(String::as_str)) {
        Ok(folder) => folder,
        Err(error) => {
            report.unreadable(Place::CALL_SITE, &error.to_string());
            return modules;
        }
    };
    let members = &folder.members().all;
    let plain = |module: &str| module.strip_prefix("r#").unwrap_or(module).to_owned();
    let stem = |member: &Member| member.file.path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let names: BTreeSet<String> = modules.iter().map(|module| plain(module)).collect();
    let mut unlisted = members.iter().filter(|member| {
        let stem = stem(member);
        !matches!(stem.as_str(), "main" | "lib" | "mod") && !names.contains(&stem)
    });
    if let Some(member) = unlisted.next() {
        let at = list.modules.last().map_or(Place::CALL_SITE, |module| module.place);
        report.unlisted(at, &member.file.path.display().to_string(), &stem(member));
        return modules;
    }
    let mut by_stem: BTreeMap<String, &Member> = BTreeMap::new();
    for member in members {
        by_stem.entry(stem(member)).or_insert(member);
    }
    let listed: Vec<Option<&Member>> = modules.iter().map(|module| by_stem.get(&plain(module)).copied()).collect();
    for (module, member) in list.modules.iter().zip(&listed) {
        if member.is_some() {
            continue;
        }
        let name = plain(&module.value);
        let is_named = |path: &Path| path.file_stem().is_some_and(|stem| *stem.to_string_lossy() == name);
        let known = folder.files.iter().any(|file| is_named(&file.path));
        let unreadable = folder.errors.iter().any(|error| is_named(&error.path));
        if !known && !unreadable && folder.has_module(&name) {
            report.no_migration_in(module.place, &module.value);
        }
    }
    let all = members;
    let members: Vec<&Member> = listed.iter().copied().flatten().collect();
    if members.len() < modules.len() {
        return modules;
    }
    match lock {
        Some(Ok(lock)) => {
            let revisions: BTreeSet<&String> = members.iter().map(|member| &member.node.revision).collect();
            let strangers = lock.revisions.keys().filter(|revision| !revisions.contains(revision));
            strangers.for_each(|revision| report.locked_stranger(Place::CALL_SITE, revision));
        }
        Some(Err(problems)) => problems.iter().for_each(|problem| report.lock_problem(Place::CALL_SITE, problem)),
        None => {}
    }
    let nodes: Vec<Node> = members.iter().map(|member| member.node.clone()).collect();
    match chain::order(&nodes) {
        Ok(order) => order.into_iter().map(|i| modules[i].clone()).collect(),
        Err(problems) => {
            for problem in problems {
                match problem {
                    ChainProblem::SeveralHeads { heads } => several_heads(&heads, list, all, &members, report),
                    problem => tell(&problem, list, &nodes, report),
                }
            }
            modules
        }
    }
}

fn tell(problem: &ChainProblem, list: &List, nodes: &[Node], report: &mut Report) {
    let describe = |i: &usize| format!("`{}` ({})", nodes[*i].name, nodes[*i].revision);
    let place = |i: Option<&usize>| i.and_then(|i| list.modules.get(*i)).map_or(Place::CALL_SITE, |module| module.place);
    match problem {
        ChainProblem::Cycle { nodes: cycle } => {
            let names: Vec<String> = cycle.iter().map(describe).collect();
            report.cycle(place(cycle.first()), &names);
        }
        // the migration itself reports these, at its own arguments
        ChainProblem::DuplicateRevision { .. } | ChainProblem::UnknownParent { .. } | ChainProblem::SeveralHeads { .. } => {}
    }
}

fn several_heads(heads: &[usize], list: &List, all: &[Member], members: &[&Member], report: &mut Report) {
    let found: Vec<&Member> = heads.iter().filter_map(|head| members.get(*head).copied()).collect();
    let describe = |member: &&Member| format!("`{}` ({}) in `{}`", member.node.name, member.node.revision, member.file.path.display());
    let names: Vec<String> = found.iter().map(describe).collect();
    let revisions: Vec<String> = found.iter().map(|member| member.node.revision.clone()).collect();
    let at = heads.last().and_then(|head| list.modules.get(*head)).map_or(Place::CALL_SITE, |module| module.place);
    report.several_heads(at, &names, &revisions, &heads::notes(all, &found));
}
