//! Lints: what PostgreSQL accepts, and a running system or its people suffer from.
//!
//! A lint is one file, whose header is its page of the manual, and one line in the list below. It reads the effects of an
//! operation, the schema before it, and what else its migration and the chain do; it never asks what kind of project
//! this is. `#[allow(name, reason = "…")]` before a statement acknowledges what it finds there.

mod columns;
mod constraints;
mod context;
mod data;
mod functions;
mod grants;
mod indexes;
mod level;
mod new_constraints;
mod statements;
mod trees;
mod words;

pub use context::{Branch, Context, Work};
pub use level::{Level, Levels};

use crate::name::At;
use crate::report::{self, Problem};
use crate::schema::{Origin, Schema};
use crate::step::{Action, Dialect, Step};
use context::Migration;

/// One rule.
#[derive(Debug)]
pub struct Lint {
    /// As `#[allow]` takes it: what is bad, in the words of the field; squawk's name where it has the rule.
    pub name: &'static str,
    /// What it does where nobody says otherwise.
    pub level: Level,
    /// Whether it needs to know more than the statement: what earlier migrations left, what else this one does, or what
    /// another branch does.
    pub needs_history: bool,
    check: fn(&Context<'_>, &mut Findings),
}

impl Lint {
    /// A rule that looks at a statement by itself.
    const fn of_statement(name: &'static str, check: fn(&Context<'_>, &mut Findings)) -> Self {
        Self { name, level: Level::Deny, needs_history: false, check }
    }

    /// A rule that can't be judged by a statement alone.
    const fn of_history(name: &'static str, check: fn(&Context<'_>, &mut Findings)) -> Self {
        Self { name, level: Level::Deny, needs_history: true, check }
    }

    /// The same, but it only warns: a matter of taste, or of circumstances that nobody can see from here.
    const fn warns(self) -> Self {
        Self { level: Level::Warn, ..self }
    }
}

/// Lists the lints by their files.
macro_rules! lints {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*

        /// All lints, sorted by name.
        pub const LINTS: &[&Lint] = &[$(&$name::LINT),*];

        #[cfg(test)]
        const FILES: &[&str] = &[$(stringify!($name)),*];
    };
}

lints! {
    adding_exclusion_constraint,
    adding_field_with_default,
    adding_foreign_key_constraint,
    adding_generated_column,
    adding_not_null_field,
    adding_primary_key_constraint,
    adding_required_field,
    adding_rule,
    adding_serial_primary_key_field,
    adding_trigger_to_table,
    altering_with_pending_checks,
    attaching_beside_default_partition,
    attaching_partition_without_check,
    backfill_of_whole_table,
    ban_alter_domain_with_add_constraint,
    ban_char_field,
    ban_create_domain_with_constraint,
    ban_drop_column,
    ban_drop_database,
    ban_drop_default,
    ban_drop_function,
    ban_drop_not_null,
    ban_drop_schema,
    ban_drop_table,
    ban_drop_view,
    ban_duplicate_column_assignments,
    ban_money,
    ban_timetz,
    ban_truncate,
    ban_truncate_cascade,
    btree_on_jsonb,
    bypassing_row_security,
    bypassing_triggers,
    cascade_drops_more,
    changing_access_method,
    changing_column_collation,
    changing_column_type,
    changing_table_persistence,
    changing_type_of_foreign_key,
    comparing_with_null,
    constraint_missing_not_valid,
    copying_table_without_constraints,
    creating_event_trigger,
    delete_without_where,
    disabling_row_security,
    disallowed_unique_constraint,
    dropping_default_of_required_column,
    dropping_extension,
    dropping_index_of_foreign_key,
    dropping_last_policy,
    dropping_replica_identity,
    dropping_unique_guarantee,
    dropping_without_archive,
    duplicate_check,
    duplicate_foreign_key,
    duplicate_index,
    enabling_row_security_without_policy,
    foreign_key_type_mismatch,
    foreign_key_without_index,
    frozen_default,
    granting_all,
    granting_to_public,
    immutable_function_reading_tables,
    inserting_without_column_list,
    locking_several_tables,
    locking_table,
    mixed_case_name,
    mixing_schema_and_data,
    moving_table_to_schema,
    moving_table_to_tablespace,
    narrowing_column_type,
    not_in_subquery,
    password_in_source,
    policy_that_permits_everything,
    policy_without_row_security,
    prefer_bigint_over_int,
    prefer_bigint_over_smallint,
    prefer_identity,
    prefer_jsonb,
    prefer_repack,
    prefer_text_field,
    prefer_timestamptz,
    redundant_index,
    renaming_column,
    renaming_enum_value,
    renaming_function,
    renaming_schema,
    renaming_table,
    renaming_type,
    renaming_view,
    require_concurrent_index_creation,
    require_concurrent_index_deletion,
    require_concurrent_partition_detach,
    require_concurrent_refresh,
    require_concurrent_reindex,
    require_enum_value_ordering,
    restarting_sequence,
    reusing_dropped_name,
    security_definer_without_search_path,
    sequence_falling_behind,
    serial_sequence_type,
    setting_replica_identity_full,
    setting_replica_identity_nothing,
    setting_unfilled_column_not_null,
    slow_work_under_lock,
    table_without_primary_key,
    temporary_table,
    trigger_left_disabled,
    unique_column_of_one_value,
    unlogged_table,
    unvalidated_constraint,
    update_without_where,
    using_new_enum_value,
    validating_in_same_transaction,
    view_bypassing_row_security,
    volatile_check,
}

/// The lint of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Lint> {
    LINTS.binary_search_by_key(&name, |lint| lint.name).ok().map(|i| LINTS[i])
}

/// The name of a lint that somebody who wrote `name` may have meant.
#[must_use]
pub fn nearest(name: &str) -> Option<&'static str> {
    report::nearest_of(name, LINTS.iter().map(|lint| lint.name))
}

/// What a lint found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Which one.
    pub lint: &'static Lint,
    /// The index of the step.
    pub step: usize,
    /// Where in the step, what it is, what waits for it and for how long, and what to write instead.
    pub problem: Problem,
}

/// Collects findings.
#[derive(Debug, Default)]
pub struct Findings {
    found: Vec<Finding>,
    current: Option<(&'static Lint, usize)>,
}

impl Findings {
    /// Something bad: what it is, in lower case, without a final period.
    pub(crate) fn find(&mut self, at: At, message: impl Into<String>) -> Found<'_> {
        let problem = Problem { at: (at.start, at.end), message: message.into(), notes: Vec::new(), help: None };
        if let Some((lint, step)) = self.current {
            self.found.push(Finding { lint, step, problem });
        }
        Found(self.found.last_mut().map(|found| &mut found.problem))
    }
}

/// The rest of a finding.
pub(crate) struct Found<'a>(Option<&'a mut Problem>);

impl Found<'_> {
    /// What it blocks, and for how long; who made it so.
    pub(crate) fn note(self, note: impl Into<String>) -> Self {
        let Self(mut problem) = self;
        if let Some(problem) = &mut problem {
            problem.notes.push(note.into());
        }
        Self(problem)
    }

    /// The same, if there is something to say.
    pub(crate) fn maybe_note(self, note: Option<String>) -> Self {
        match note {
            Some(note) => self.note(note),
            None => self,
        }
    }

    /// The safe sequence, as one imperative sentence.
    pub(crate) fn instead(self, help: impl Into<String>) {
        if let Some(problem) = self.0 {
            problem.help = Some(help.into());
        }
    }
}

/// What the lints find in a migration: `steps` with their names filled in, as replayed from `start` to `end`. Branches
/// are the migrations that are neither before nor after it.
///
/// What only declares, what is for SQLite alone and what drops what nobody created is left out.
#[must_use]
pub fn lint(steps: &[Step], start: &Schema, end: &Schema, branches: &[Branch], levels: &Levels) -> Vec<Finding> {
    let mut before = start.clone();
    let mut migration = Migration::new(steps, start, end, branches);
    let mut findings = Findings::default();
    for (i, step) in steps.iter().enumerate() {
        if step.dialect == Some(Dialect::Sqlite) {
            migration.pass();
            continue;
        }
        migration.enter(&before, step);
        if !matches!(step.action, Action::Declare { .. }) {
            let context = Context::new(i, &before, &migration);
            for lint in LINTS.iter().filter(|lint| levels.of(lint) != Level::Allow) {
                findings.current = Some((lint, i));
                (lint.check)(&context, &mut findings);
            }
        }
        migration.leave(&mut before, step);
    }
    findings.found
}

/// Replays a step without saying what is wrong with it: others have.
fn advance(schema: &mut Schema, step: &Step) {
    step.clone().replay(schema, &Origin::default(), &mut report::Report::default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lints_are_called_like_their_files_and_sorted() {
        let names: Vec<_> = LINTS.iter().map(|lint| lint.name).collect();
        assert_eq!(names, FILES);
        assert!(names.is_sorted(), "{names:?}");
    }

    #[test]
    fn lints_are_found_by_name_and_by_what_is_nearly_one() {
        assert_eq!(find("ban_drop_column").map(|lint| lint.name), Some("ban_drop_column"));
        assert!(find("ban_drop_colum").is_none());
        assert_eq!(nearest("ban_drop_colum"), Some("ban_drop_column"));
    }
}
