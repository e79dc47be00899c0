//! What is known to differ, and why. An exception that no longer applies is a failure.

use std::fmt;
use std::ops::RangeInclusive;

/// Cases after whose way back PostgreSQL prints something otherwise.
const PRINT_OTHERWISE: [(&str, &str); 1] =
    [("comment_on/unmodelled.case", "a fresh database has a comment on `public` that no migration wrote")];

/// Why the way back of this case leaves the database otherwise than it was, if it does.
pub fn print_otherwise(case: &str) -> Option<&'static str> {
    PRINT_OTHERWISE.iter().find(|(name, _)| *name == case).map(|(_, reason)| *reason)
}

/// An effect that is stated otherwise than some servers show it.
#[derive(Clone, Debug)]
pub struct Exception {
    /// The versions of PostgreSQL that show it otherwise.
    pub versions: RangeInclusive<u32>,
    /// The case.
    pub case: &'static str,
    /// The operation, as it describes itself.
    pub operation: &'static str,
    /// The line of the failure.
    pub difference: &'static str,
    /// Why that is stated.
    pub reason: &'static str,
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n    {}\n    excused because {}", self.case, self.operation, self.difference, self.reason)
    }
}

const PROVES: &str = "only PostgreSQL can say whether a check rules the rows out";
const TIME_ZONE: &str = "values are converted unless the session's time zone is UTC";

const EXCEPTIONS: &[Exception] = &[
    Exception {
        versions: 13..=18,
        case: "drop_trigger/plain.case",
        operation: "drop trigger `nobody` on `documents`",
        difference: "lock on documents: stated AccessExclusiveLock, seen none",
        reason: "a trigger that no migration created may be there all the same, and is dropped then",
    },
    Exception {
        versions: 13..=18,
        case: "alter_column_type/default_keeps_its_type.case",
        operation: "change the type of `jobs.retried` to `timestamp with time zone`",
        difference: "rewrites: stated jobs, seen nothing",
        reason: TIME_ZONE,
    },
    Exception {
        versions: 13..=18,
        case: "alter_column_type/default_keeps_its_type.case",
        operation: "change the type of `jobs.retried` to `timestamp without time zone`",
        difference: "rewrites: stated jobs, seen nothing",
        reason: TIME_ZONE,
    },
    Exception {
        versions: 14..=18,
        case: "detach_partition/concurrently.case",
        operation: "attach partition `events_2024` to `events`",
        difference: "scans: stated events_2024, seen nothing",
        reason: PROVES,
    },
    Exception {
        versions: 14..=18,
        case: "detach_partition/concurrently_list.case",
        operation: "attach partition `events_c` to `events`",
        difference: "scans: stated events_c, seen nothing",
        reason: PROVES,
    },
    Exception {
        versions: 14..=18,
        case: "detach_partition/concurrently_list.case",
        operation: "attach partition `events_a` to `events`",
        difference: "scans: stated events_a, seen nothing",
        reason: PROVES,
    },
    Exception {
        versions: 13..=18,
        case: "lints/attaching_beside_default_partition/reads_the_default_partition.case",
        operation: "attach partition `events_2024` to `events`",
        difference: "scans: stated events_2024, events_rest, seen events_rest",
        reason: PROVES,
    },
    Exception {
        versions: 13..=18,
        case: "lints/attaching_beside_default_partition/ruled_out.case",
        operation: "create table `events_2025`",
        difference: "scans: stated events_rest, seen nothing",
        reason: PROVES,
    },
    Exception {
        versions: 13..=18,
        case: "lints/attaching_partition_without_check/proven.case",
        operation: "attach partition `events_2024` to `events`",
        difference: "scans: stated events_2024, seen nothing",
        reason: PROVES,
    },
    Exception {
        versions: 18..=18,
        case: "set_not_null/family_follows.case",
        operation: "set column `events_rest.name` not null",
        difference: "scans: stated events_rest, seen nothing",
        reason: "before 18 the column of a partition doesn't keep a `not null` of its own when that of its parent goes",
    },
];

/// The exceptions for one server.
pub struct Exceptions {
    open: Vec<(Exception, bool)>,
}

impl Exceptions {
    /// Those for servers of this version.
    pub fn on(version: u32) -> Self {
        Self { open: EXCEPTIONS.iter().filter(|it| it.versions.contains(&version)).map(|it| (it.clone(), false)).collect() }
    }

    /// Whether this difference is one of them.
    pub fn excuse(&mut self, case: &str, operation: &str, difference: &str) -> bool {
        let is = |it: &Exception| it.case == case && it.operation == operation && it.difference == difference;
        self.open.iter_mut().filter(|(exception, _)| is(exception)).map(|(_, used)| *used = true).count() > 0
    }

    /// Those that were of no use.
    pub fn unused(&self) -> impl Iterator<Item = &Exception> {
        self.open.iter().filter(|(_, used)| !used).map(|(exception, _)| exception)
    }
}
