//! Several heads: whether they can be merged in either order, and if not, why.

use std::collections::BTreeSet;

use migrate_core::footprint::{Clash, Footprint};
use migrate_core::step::Step;

use crate::ancestry::{self, Before, Member};

/// How many reasons are told: the first ones say what to talk about.
const TOLD: usize = 3;

/// What is to be said of each pair of heads, a note a line; nothing of what can't be replayed.
pub fn notes(members: &[Member], heads: &[&Member]) -> Vec<String> {
    let mut notes = Vec::new();
    for (i, left) in heads.iter().enumerate() {
        for right in heads.iter().skip(i + 1) {
            notes.extend(pair(members, left, right).unwrap_or_default());
        }
    }
    notes
}

fn pair(members: &[Member], left: &Member, right: &Member) -> Option<Vec<String>> {
    let (left_line, right_line) = (line(members, left)?, line(members, right)?);
    let revisions = |line: &[&Member]| line.iter().map(|member| member.node.revision.clone()).collect::<BTreeSet<_>>();
    let common: BTreeSet<String> = revisions(&left_line).intersection(&revisions(&right_line)).cloned().collect();
    let mut base = Before::default();
    for member in left_line.iter().filter(|member| common.contains(&member.node.revision)) {
        ancestry::replay(member, &mut base);
    }
    let left_branch = Branch::of(&left_line, &common, &base)?;
    let right_branch = Branch::of(&right_line, &common, &base)?;
    let clashes = left_branch.footprint(&base).clashes(&right_branch.footprint(&base));
    let (left, right) = (left.node.name.as_str(), right.node.name.as_str());
    if clashes.is_empty() {
        return Some(vec![format!("`{left}` and `{right}` change different things: a merge may name them in either order")]);
    }
    let mut told: Vec<String> = clashes.iter().map(|clash| say(clash, left, right, &left_branch, &right_branch)).collect();
    told.dedup();
    let more = told.len().saturating_sub(TOLD);
    told.truncate(TOLD);
    if more > 0 {
        told.push(format!("and {more} more of that kind"));
    }
    Some(told)
}

fn say(clash: &Clash, left: &str, right: &str, left_branch: &Branch, right_branch: &Branch) -> String {
    match clash {
        Clash::Both { object, left: at_left, right: at_right } => {
            let (first, second) = (left_branch.place(*at_left), right_branch.place(*at_right));
            format!("`{left}` and `{right}` both change {object}: {first}; {second}")
        }
        Clash::Needed { object, by_left, left: at_left, right: at_right } => {
            let (first, second) = (left_branch.place(*at_left), right_branch.place(*at_right));
            let (changer, needer, change, need) = if *by_left { (left, right, first, second) } else { (right, left, second, first) };
            format!("`{changer}` changes {object}, which `{needer}` needs: {change}; {need}")
        }
        Clash::Unknown { of_left, step } => {
            let (branch, other) = if *of_left { (left_branch, right) } else { (right_branch, left) };
            format!("nobody knows whether this has to do with `{other}`: {}", branch.place(*step))
        }
    }
}

/// A head and all before it, parents first.
fn line<'a>(members: &'a [Member], head: &Member) -> Option<Vec<&'a Member>> {
    let mut line = ancestry::lineage(members, &head.node.revision, &head.node.parents)?;
    line.push(members.iter().find(|member| member.node.revision == head.node.revision)?);
    Some(line)
}

/// What only one of two heads has before it, the head itself included.
struct Branch {
    steps: Vec<Step>,
    /// The name of the migration of each step.
    names: Vec<String>,
}

impl Branch {
    /// `None` where something on the way is wrong: that is told elsewhere.
    fn of(line: &[&Member], common: &BTreeSet<String>, base: &Before) -> Option<Self> {
        let mut before = base.clone();
        let mut branch = Self { steps: Vec::new(), names: Vec::new() };
        for member in line.iter().filter(|member| !common.contains(&member.node.revision)) {
            for located in ancestry::replay(member, &mut before).0 {
                branch.steps.push(located.step);
                branch.names.push(member.node.name.clone());
            }
        }
        (!before.broken).then_some(branch)
    }

    fn footprint(&self, base: &Before) -> Footprint {
        Footprint::of(&self.steps, &base.schema)
    }

    /// ``add column `documents.title` (`m0003_titles`, line 7)``
    fn place(&self, step: usize) -> String {
        let (Some(step), Some(name)) = (self.steps.get(step), self.names.get(step)) else { return String::new() };
        let place = step.origin(name).place().unwrap_or_default();
        format!("{} ({place})", step.describe().split_whitespace().collect::<Vec<_>>().join(" "))
    }
}
