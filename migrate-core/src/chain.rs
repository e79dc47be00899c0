//! The graph of revisions.

use crate::report::nearest_of;
use std::collections::{BTreeMap, BTreeSet};

/// One migration in the graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its revision.
    pub revision: String,
    /// The revisions that come before it; none for a root, several for a merge.
    pub parents: Vec<String>,
    /// What people call it: the file's name without its ending.
    pub name: String,
}

/// Something wrong with the graph. Indices are those of the nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChainProblem {
    /// Two migrations have the same revision.
    DuplicateRevision {
        /// The earlier one.
        first: usize,
        /// The later one.
        second: usize,
    },
    /// A parent that no migration has as its revision.
    UnknownParent {
        /// Who names it.
        node: usize,
        /// The name.
        parent: String,
        /// The most similar revision.
        nearest: Option<String>,
    },
    /// Migrations that come before themselves.
    Cycle {
        /// All of them, in the order of the list.
        nodes: Vec<usize>,
    },
    /// More than one migration that nothing follows.
    SeveralHeads {
        /// All of them, in the order of the list.
        heads: Vec<usize>,
    },
}

/// The order in which the migrations are applied: parents first, otherwise that of the list.
///
/// # Errors
/// All that is wrong with the graph.
pub fn order(nodes: &[Node]) -> Result<Vec<usize>, Vec<ChainProblem>> {
    let mut problems = Vec::new();
    let mut by_revision: BTreeMap<&str, usize> = BTreeMap::new();
    for (i, node) in nodes.iter().enumerate() {
        if let Some(first) = by_revision.get(node.revision.as_str()) {
            problems.push(ChainProblem::DuplicateRevision { first: *first, second: i });
        } else {
            by_revision.insert(&node.revision, i);
        }
    }
    for (i, node) in nodes.iter().enumerate() {
        for parent in node.parents.iter().filter(|parent| !by_revision.contains_key(parent.as_str())) {
            let nearest = nearest_of(parent, by_revision.keys().copied().filter(|revision| *revision != node.revision)).map(str::to_owned);
            problems.push(ChainProblem::UnknownParent { node: i, parent: parent.clone(), nearest });
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let parents: Vec<Vec<usize>> =
        nodes.iter().map(|node| node.parents.iter().filter_map(|parent| by_revision.get(parent.as_str()).copied()).collect()).collect();
    let mut children = vec![Vec::new(); nodes.len()];
    for (child, parents) in parents.iter().enumerate() {
        for &parent in parents {
            children[parent].push(child);
        }
    }
    let mut missing: Vec<usize> = parents.iter().map(Vec::len).collect();
    let mut ready: BTreeSet<usize> = (0..nodes.len()).filter(|&i| missing[i] == 0).collect();
    let mut order = Vec::with_capacity(nodes.len());
    while let Some(next) = ready.pop_first() {
        order.push(next);
        for &child in &children[next] {
            missing[child] -= 1;
            if missing[child] == 0 {
                ready.insert(child);
            }
        }
    }
    if order.len() < nodes.len() {
        let cycle = (0..nodes.len()).filter(|i| !order.contains(i)).collect();
        return Err(vec![ChainProblem::Cycle { nodes: cycle }]);
    }
    let heads: Vec<usize> = (0..nodes.len()).filter(|&i| children[i].is_empty()).collect();
    if heads.len() > 1 {
        return Err(vec![ChainProblem::SeveralHeads { heads }]);
    }
    Ok(order)
}

/// All that comes before `revision`, itself not included.
#[must_use]
pub fn ancestors<'a>(nodes: &'a [Node], revision: &str) -> BTreeSet<&'a str> {
    let by_revision: BTreeMap<&str, &Node> = nodes.iter().map(|node| (node.revision.as_str(), node)).collect();
    let mut seen = BTreeSet::new();
    let mut open: Vec<&str> = vec![revision];
    while let Some(next) = open.pop() {
        for parent in by_revision.get(next).into_iter().flat_map(|node| &node.parents) {
            if seen.insert(parent.as_str()) {
                open.push(parent);
            }
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(edges: &[(&str, &[&str])]) -> Vec<Node> {
        let node = |(revision, parents): &(&str, &[&str])| Node {
            revision: (*revision).to_owned(),
            parents: parents.iter().map(|parent| (*parent).to_owned()).collect(),
            name: format!("m_{revision}"),
        };
        edges.iter().map(node).collect()
    }

    #[test]
    fn parents_come_first_then_the_list() {
        let nodes = nodes(&[("d", &["b", "c"]), ("a", &[]), ("c", &["a"]), ("b", &["a"])]);
        assert_eq!(order(&nodes), Ok(vec![1, 2, 3, 0]));
    }

    #[test]
    fn two_heads_are_both_named() {
        let nodes = nodes(&[("a", &[]), ("b", &["a"]), ("c", &["a"])]);
        assert_eq!(order(&nodes), Err(vec![ChainProblem::SeveralHeads { heads: vec![1, 2] }]));
    }

    #[test]
    fn a_cycle_is_found() {
        let nodes = nodes(&[("a", &[]), ("b", &["a", "c"]), ("c", &["b"])]);
        assert_eq!(order(&nodes), Err(vec![ChainProblem::Cycle { nodes: vec![1, 2] }]));
    }

    #[test]
    fn an_unknown_parent_has_a_suggestion() {
        let nodes = nodes(&[("774225e563ca", &[]), ("b", &["774225e563cb"])]);
        let problem = ChainProblem::UnknownParent { node: 1, parent: "774225e563cb".into(), nearest: Some("774225e563ca".into()) };
        assert_eq!(order(&nodes), Err(vec![problem]));
    }

    #[test]
    fn duplicates_are_found() {
        let nodes = nodes(&[("a", &[]), ("a", &[])]);
        assert_eq!(order(&nodes), Err(vec![ChainProblem::DuplicateRevision { first: 0, second: 1 }]));
    }

    #[test]
    fn ancestors_of_a_merge() {
        let nodes = nodes(&[("a", &[]), ("b", &["a"]), ("c", &["a"]), ("d", &["b", "c"])]);
        assert_eq!(ancestors(&nodes, "d").into_iter().collect::<Vec<_>>(), ["a", "b", "c"]);
    }
}
