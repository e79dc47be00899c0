//! The text of a lock file → its revisions.

use super::{Lock, LockedOperation, LockedRevision};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What is wrong with a lock file. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockProblem {
    /// A line that says nothing.
    Unreadable {
        /// Which one.
        line: usize,
        /// Whether git left it there.
        conflict_marker: bool,
    },
    /// Two lines that can't both be true: the revision was locked in two ways.
    Contradiction {
        /// The revision.
        revision: String,
        /// The earlier line.
        first: usize,
        /// The later one.
        second: usize,
    },
    /// Lines of a revision are missing.
    Incomplete {
        /// The revision.
        revision: String,
        /// One of its lines that is there.
        line: usize,
    },
}

impl LockProblem {
    /// What to do.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Unreadable { conflict_marker: true, .. } => {
                "keep the lines of both sides and remove git's marks; `migrate lock` writes a `.gitattributes` that does so".to_owned()
            }
            Self::Unreadable { .. } => "remove the line; `migrate lock` writes what is missing".to_owned(),
            Self::Contradiction { revision, .. } => format!(
                "find out which of the two databases have run; then remove the lines of `{revision}`, make the migration what they have \
                 run, and run `migrate lock`"
            ),
            Self::Incomplete { revision, .. } => format!("remove the lines of `{revision}` and run `migrate lock`"),
        }
    }
}

/// What is wrong, without the file's name.
impl fmt::Display for LockProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { line, conflict_marker: true } => write!(f, "line {line} is a mark of an unfinished merge"),
            Self::Unreadable { line, .. } => write!(f, "line {line} is neither an operation nor the head of a revision"),
            Self::Contradiction { revision, first, second } => {
                write!(f, "`{revision}` is locked in two ways, in line {first} and in line {second}")
            }
            Self::Incomplete { revision, line } => write!(f, "lines of `{revision}` are missing, of which line {line} is one"),
        }
    }
}

/// Reads a lock file.
///
/// # Errors
/// All that is wrong with it, at most one problem a revision.
pub fn read(text: &str) -> Result<Lock, Vec<LockProblem>> {
    let mut problems = Vec::new();
    let mut revisions: BTreeMap<&str, Lines<'_>> = BTreeMap::new();
    for (i, line) in text.lines().enumerate() {
        let (number, line) = (i + 1, line.trim());
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((revision, content)) = parse(line) else {
            let conflict_marker = ["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|mark| line.starts_with(mark));
            problems.push(LockProblem::Unreadable { line: number, conflict_marker });
            continue;
        };
        let lines = revisions.entry(revision).or_default();
        lines.first = if lines.first == 0 { number } else { lines.first };
        if let Some(first) = lines.add(content, number)
            && lines.contradiction.is_none()
        {
            lines.contradiction = Some((first, number));
        }
    }
    // then the other problems are most likely only its own
    if let Some(mark) = problems.iter().find(|problem| matches!(problem, LockProblem::Unreadable { conflict_marker: true, .. })) {
        return Err(vec![mark.clone()]);
    }
    let mut lock = Lock::default();
    for (revision, lines) in revisions {
        match lines.finish(revision) {
            Ok(locked) => {
                lock.revisions.insert(revision.to_owned(), locked);
            }
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(lock) } else { Err(problems) }
}

enum Content<'a> {
    Head { up: usize, down: usize, version: &'a str },
    Operation { number: usize, hash: &'a str, description: &'a str },
}

fn parse(line: &str) -> Option<(&str, Content<'_>)> {
    let (revision, rest) = line.split_once(' ')?;
    if let Some(counts) = rest.strip_prefix("up=") {
        let (up, rest) = counts.split_once(" down=")?;
        let (down, version) = rest.split_once(" version=")?;
        let is_version = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_alphanumeric());
        return Some((revision, Content::Head { up: up.parse().ok()?, down: down.parse().ok()?, version })).filter(|_| is_version);
    }
    let (number, rest) = rest.split_once(' ')?;
    let (hash, description) = rest.split_once(' ').unwrap_or((rest, ""));
    let is_hash = !hash.is_empty() && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = number.parse().ok().filter(|number| *number > 0)?;
    Some((revision, Content::Operation { number, hash, description })).filter(|_| is_hash)
}

/// What is said of one revision, and in which lines.
#[derive(Default)]
struct Lines<'a> {
    first: usize,
    head: Option<(usize, usize, &'a str, usize)>,
    operations: BTreeMap<usize, (LockedOperation, usize)>,
    contradiction: Option<(usize, usize)>,
}

impl<'a> Lines<'a> {
    /// Adds a line and gives the earlier one that it contradicts.
    fn add(&mut self, content: Content<'a>, line: usize) -> Option<usize> {
        match content {
            Content::Head { up, down, version } => {
                let (known_up, known_down, known_version, first) = *self.head.get_or_insert((up, down, version, line));
                ((known_up, known_down, known_version) != (up, down, version)).then_some(first)
            }
            Content::Operation { number, hash, description } => {
                let operation = LockedOperation { hash: hash.to_owned(), description: description.to_owned() };
                let (known, first) = self.operations.entry(number).or_insert((operation, line));
                (known.hash != hash).then_some(*first)
            }
        }
    }

    fn finish(self, revision: &str) -> Result<LockedRevision, LockProblem> {
        let revision = || revision.to_owned();
        if let Some((first, second)) = self.contradiction {
            return Err(LockProblem::Contradiction { revision: revision(), first, second });
        }
        let incomplete = LockProblem::Incomplete { revision: revision(), line: self.first };
        let Some((up, down, version, _)) = self.head else { return Err(incomplete) };
        let numbers: BTreeSet<usize> = self.operations.keys().copied().collect();
        if up.checked_add(down) != Some(numbers.len()) || numbers.last().is_some_and(|last| *last != numbers.len()) {
            return Err(incomplete);
        }
        let mut operations: Vec<LockedOperation> = self.operations.into_values().map(|(operation, _)| operation).collect();
        let down = operations.split_off(up);
        Ok(LockedRevision { version: version.to_owned(), up: operations, down })
    }
}
