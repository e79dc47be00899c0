//! What reads or writes every row of a table while nobody else can, done in phases that let the application go on: the strong
//! locks are short, and what takes long takes a lock that blocks neither reads nor writes.
//!
//! | statement | phases |
//! |---|---|
//! | `set not null` | add `check (… is not null) not valid`; validate it; `set not null`, which it proves, and drop it |
//! | `add foreign key`, `add check` | add it `not valid`; validate it |
//! | `add unique`, `add primary key` | `create unique index concurrently`; `add … using index` |
//! | `add column` with a volatile default | add it without, set the default; fill the rows in batches; `set not null`, if it is to be |
//!
//! The catalog is afterwards as the statement would have left it. Each phase leaves something that a later attempt
//! recognises, so that an interrupted one is taken up where it was: a check of a name that is ours, a constraint or a column
//! with a comment that is ours, a valid index of the constraint's name.
//!
//! PostgreSQL 18 has `add not null … not valid` of its own. What somebody has begun so is validated. Nothing is begun so: it
//! would spare one short lock, and from there on, however long validation takes or an interrupted attempt waits for the next
//! one, `pg_attribute` and `information_schema` tell every driver and every tool that the column is never null, while rows of
//! it are. (PostgreSQL's own planner knows better.) A check tells nobody anything that isn't so.

mod column;
mod constraint;
mod key;
mod not_null;

use crate::effects::LockMode;
use crate::name::{Name, QualifiedName, quote_literal, quoted_list};
use crate::naming::make_object_name;
use crate::operation::Operation;
use crate::ops::Backfill;
use crate::schema::{ConstraintKind, Schema, Table};

/// The comment on a constraint that was added and isn't validated yet.
pub const MARK: &str = "not validated yet: `migrate up` is adding this constraint";

/// A statement in phases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lowering {
    /// The table of which every row is read.
    pub table: QualifiedName,
    /// What is still to be done, in order.
    pub phases: Vec<Phase>,
    /// Whether an earlier attempt has left something: then it is finished, however large the table is now.
    pub is_begun: bool,
    /// What removes again what the phases leave when one of them fails for good.
    pub undo: Vec<String>,
    /// The index that is built, and is nobody's until the last phase.
    pub index: Option<QualifiedName>,
    /// What fills the rows in batches.
    pub fill: Option<Backfill>,
}

/// A part of a statement that stands for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phase {
    /// How long it takes, and so how it is run.
    pub pace: Pace,
    /// Its statements.
    pub sql: Vec<String>,
    /// The locks that it takes.
    pub locks: Vec<(QualifiedName, LockMode)>,
    /// The rows that it may fail at, where the server doesn't name them.
    pub offenders: Option<Offenders>,
}

/// How long a phase takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// No time, once it has its strong lock: one transaction, which gives up soon and is tried again.
    Short,
    /// As long as the table is large: one transaction with a weak lock.
    Long,
    /// The same, outside of a transaction.
    Outside,
    /// The same, in batches: each is a transaction of its own.
    Batches,
}

/// What finds rows that are in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offenders {
    /// The columns that name a row: those of the primary key. Empty where there is none.
    pub key: Vec<Name>,
    /// The table.
    pub table: QualifiedName,
    /// The condition that holds for them.
    pub condition: String,
    /// What PostgreSQL says of the statement as it was written, with its code, where a phase says it otherwise.
    pub message: Option<(&'static str, String)>,
}

/// `operation` in phases, where there is a way, given the schema before it. Whether it is worth while is another question.
#[must_use]
pub fn lower(operation: &Operation, before: &Schema) -> Option<Lowering> {
    match operation {
        Operation::SetNotNull(set) => not_null::lower(set, before),
        Operation::AddConstraint(add) => constraint::lower(add, before).or_else(|| key::lower(add, before)),
        Operation::AddColumn(add) => column::lower(add, before),
        _ => None,
    }
}

/// Whether the column that the operation adds is there, and an interrupted attempt hasn't filled it yet.
#[must_use]
pub fn is_unfilled(operation: &Operation, live: &Schema) -> bool {
    let Operation::AddColumn(add) = operation else { return false };
    live.column(&add.table, add.column.name.as_str()).is_some_and(column::is_marked)
}

/// What removes what an interrupted attempt has left, where the operation has been done all the same, by somebody else.
#[must_use]
pub fn removal(operation: &Operation, live: &Schema) -> Vec<String> {
    let proof = |table: &QualifiedName, column: &Name| {
        let proof = not_null::Proof::new(live.table(table)?, column)?;
        proof.found.is_some().then(|| proof.drop())
    };
    match operation {
        Operation::SetNotNull(set) => proof(&set.table, &set.column).into_iter().collect(),
        Operation::AddConstraint(add) => match &add.constraint.kind {
            ConstraintKind::PrimaryKey(key) => key.columns.iter().filter_map(|column| proof(&add.table, column)).collect(),
            _ => constraint::unmark(add, live).into_iter().collect(),
        },
        Operation::AddColumn(add) if add.column.not_null => proof(&add.table, &add.column.name).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// The name of the check that proves a column to be without nulls, while it is made `not null`.
#[must_use]
pub fn proof_name(column: &Name) -> Name {
    Name::new(make_object_name("_migrate", Some(column.as_str()), "not_null"))
}

/// The table, if it is one alone: what is handed down to others is refused in part, and named by PostgreSQL.
fn alone<'a>(before: &'a Schema, name: &QualifiedName) -> Option<&'a Table> {
    let table = before.table(name).filter(|table| !table.is_partitioned() && !name.is_temporary())?;
    before.children(name).is_empty().then_some(table)
}

fn key_columns(table: &Table) -> Vec<Name> {
    match table.primary_key().map(|constraint| &constraint.kind) {
        Some(ConstraintKind::PrimaryKey(key)) => key.columns.clone(),
        _ => Vec::new(),
    }
}

fn phase(pace: Pace, sql: Vec<String>, locks: &[(&QualifiedName, LockMode)]) -> Phase {
    Phase { pace, sql, locks: locks.iter().map(|(table, mode)| ((*table).clone(), *mode)).collect(), offenders: None }
}

/// How many rows are named.
const NAMED: usize = 3;

impl Offenders {
    /// A query for a few of the rows, in one text: `(id) = (4), (7), …`. `None` where nothing names a row.
    #[must_use]
    pub fn query(&self) -> Option<String> {
        if self.key.is_empty() {
            return None;
        }
        let texts: Vec<String> = self.key.iter().map(|column| format!("{}::text", column.quoted())).collect();
        let names = quote_literal(&format!("({}) = ", quoted_list(&self.key)));
        Some(format!(
            "select {names} || pg_catalog.string_agg(case when place > {NAMED} then '…' else named end, ', ' order by place) from ( \
             select '(' || pg_catalog.concat_ws(', ', {}) || ')' as named, pg_catalog.row_number() over () as place \
             from {} where {} limit {}) as rows",
            texts.join(", "),
            self.table.quoted(),
            self.condition,
            NAMED + 1
        ))
    }
}
