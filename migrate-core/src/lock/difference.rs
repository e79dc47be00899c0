//! A locked revision against what its migration does now.

use super::{LockedOperation, LockedRevision};
use crate::checksum::of_step;
use crate::step::Step;

/// What is otherwise than it was locked. Indices count from 0, in `up!` or in `down!`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference<'a> {
    /// An operation is another one.
    Changed {
        /// Whether it is one of `down!`.
        down: bool,
        /// Its index.
        index: usize,
        /// What it was.
        was: &'a LockedOperation,
    },
    /// An operation that wasn't there.
    Added {
        /// Whether it is one of `down!`.
        down: bool,
        /// Its index.
        index: usize,
    },
    /// An operation that is gone.
    Removed {
        /// Whether it was one of `down!`.
        down: bool,
        /// Its index then.
        index: usize,
        /// What it was.
        was: &'a LockedOperation,
    },
}

/// What these steps do otherwise than the lock says; nothing where its hashes are of another version of the checksum, which
/// nobody can compare.
#[must_use]
pub fn differences<'a>(locked: &'a LockedRevision, up: &[Step], down: &[Step]) -> Vec<Difference<'a>> {
    if !locked.is_comparable() {
        return Vec::new();
    }
    let mut found = of_part(&locked.up, up, false);
    found.extend(of_part(&locked.down, down, true));
    found
}

/// Leaves out what is the same at both ends. Between them, as many operations as there were have been changed one by one;
/// otherwise the first pair says where to look, and which of the others is new nobody knows.
fn of_part<'a>(locked: &'a [LockedOperation], steps: &[Step], down: bool) -> Vec<Difference<'a>> {
    let hashes: Vec<String> = steps.iter().map(of_step).collect();
    let same = |(locked, hash): &(&LockedOperation, &String)| locked.hash == **hash;
    let start = locked.iter().zip(&hashes).take_while(same).count();
    let room = locked.len().min(hashes.len()) - start;
    let end = locked.iter().rev().zip(hashes.iter().rev()).take(room).take_while(same).count();
    let was = &locked[start..locked.len() - end];
    let now = start..hashes.len() - end;
    let changed = |(i, was): (usize, &'a LockedOperation)| Difference::Changed { down, index: start + i, was };
    if was.is_empty() {
        now.map(|index| Difference::Added { down, index }).collect()
    } else if now.is_empty() {
        was.iter().enumerate().map(|(i, was)| Difference::Removed { down, index: start + i, was }).collect()
    } else if was.len() == now.len() {
        let moved = was.iter().enumerate().filter(|(i, was)| was.hash != hashes[start + i]);
        moved.map(changed).collect()
    } else {
        was.iter().enumerate().take(1).map(changed).collect()
    }
}

#[cfg(test)]
#[cfg(feature = "parser")]
mod tests {
    use super::super::{Lock, LockProblem, read};
    use super::*;
    use crate::replay;

    fn steps(sql: &str) -> Vec<Step> {
        replay::steps(sql).unwrap_or_default()
    }

    fn told(locked: &str, now: &str) -> Vec<String> {
        let locked = LockedRevision::of(&steps(locked), &[]);
        let say = |difference: &Difference<'_>| match difference {
            Difference::Changed { index, was, .. } => format!("{index} was {}", was.description),
            Difference::Added { index, .. } => format!("{index} is new"),
            Difference::Removed { index, was, .. } => format!("{index} is gone: {}", was.description),
        };
        differences(&locked, &steps(now), &[]).iter().map(say).collect()
    }

    const THREE: &str = "create schema a; create schema b; create schema c";

    #[test]
    fn layout_and_comments_make_no_difference() {
        assert_eq!(told(THREE, "-- all of them\ncreate  schema a;\n/* b */ CREATE SCHEMA b;create schema c;"), [""; 0]);
    }

    #[test]
    fn the_operation_that_changed_is_found() {
        assert_eq!(told(THREE, "create schema a; create schema x; create schema c"), ["1 was create schema `b`"]);
        assert_eq!(told(THREE, "create schema a; create schema c"), ["1 is gone: create schema `b`"]);
        assert_eq!(told(THREE, "create schema a; create schema b"), ["2 is gone: create schema `c`"]);
        assert_eq!(told(THREE, &format!("{THREE}; create schema d")), ["3 is new"]);
        assert_eq!(told(THREE, &format!("create schema d; {THREE}")), ["0 is new"]);
        assert_eq!(
            told(THREE, "create schema x; create schema b; create schema y"),
            ["0 was create schema `a`", "2 was create schema `c`"]
        );
        assert_eq!(told(THREE, "create schema x; create schema c"), ["0 was create schema `a`"]);
        assert_eq!(told(THREE, ""), (0..3).map(|i| format!("{i} is gone: create schema `{}`", ["a", "b", "c"][i])).collect::<Vec<_>>());
        // the same thing twice is not its own neighbour
        assert_eq!(told("select 1; select 1", "select 1"), ["1 is gone: run `select 1`"]);
    }

    #[test]
    fn a_way_back_is_locked_too() {
        let locked = LockedRevision::of(&steps(THREE), &steps("drop schema a"));
        assert_eq!(differences(&locked, &steps(THREE), &steps("drop schema a")), []);
        assert_eq!(differences(&locked, &steps(THREE), &[]).len(), 1);
        let derived = LockedRevision::of(&steps(THREE), &[]);
        assert_eq!(differences(&derived, &steps(THREE), &steps("drop schema a")), [Difference::Added { down: true, index: 0 }]);
    }

    #[test]
    fn another_version_is_not_compared() {
        let locked = LockedRevision { version: "0".into(), ..LockedRevision::of(&steps(THREE), &[]) };
        assert_eq!(differences(&locked, &steps("create schema x"), &[]), []);
    }

    #[test]
    fn what_is_written_is_read_in_any_order() {
        let mut lock = Lock::default();
        lock.revisions.insert("b".into(), LockedRevision::of(&steps(THREE), &steps("drop schema c; select '\n', 2")));
        lock.revisions.insert("a".into(), LockedRevision::of(&[], &[]));
        let text = lock.write(["b", "a"]);
        assert_eq!(read(&text), Ok(lock.clone()));
        let mut lines: Vec<&str> = text.lines().collect();
        lines.reverse();
        let doubled = format!("{}\r\n{text}", lines.join("\r\n"));
        assert_eq!(read(&doubled), Ok(lock));
    }

    #[test]
    fn what_cannot_be_true_is_told_once_a_revision() {
        let text = "a up=1 down=0 version=1\na 1 00ff create schema `a`\n";
        assert!(read(text).is_ok());
        let contradiction = LockProblem::Contradiction { revision: "a".into(), first: 2, second: 4 };
        assert_eq!(read(&format!("{text}a up=1 down=0 version=1\na 1 00fe create schema `b`\na 2 00fa x\n")), Err(vec![contradiction]));
        let contradiction = LockProblem::Contradiction { revision: "a".into(), first: 1, second: 3 };
        assert_eq!(read(&format!("{text}a up=2 down=0 version=1\n")), Err(vec![contradiction]));
        for incomplete in
            ["a up=1 down=0 version=1", "a 1 00ff x", "a up=1 down=0 version=1\na 2 00ff x", "a up=18446744073709551615 down=1 version=1"]
        {
            assert_eq!(read(incomplete), Err(vec![LockProblem::Incomplete { revision: "a".into(), line: 1 }]), "{incomplete}");
        }
        for unreadable in ["a", "a b c", "a 0 00ff x", "a 1 xyz x", "a up=x down=0 version=1", "a up=1 down=0 version=", "a up=1"] {
            assert_eq!(read(unreadable), Err(vec![LockProblem::Unreadable { line: 1, conflict_marker: false }]), "{unreadable}");
        }
        assert_eq!(read("<<<<<<< ours"), Err(vec![LockProblem::Unreadable { line: 1, conflict_marker: true }]));
    }
}
