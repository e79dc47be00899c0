//! Which steps are run in phases: those that would keep a large table locked while they read it.

use super::backend::Rendered;
use migrate_core::effects::{Effects, LockMode, TransactionNeed};
use migrate_core::expression::Expression;
pub(crate) use migrate_core::lowering::is_unfilled;
use migrate_core::lowering::{Lowering, lower, proof_name, removal};
use migrate_core::name::{Name, QualifiedName, quote_literal};
use migrate_core::operation::{Operate as _, Operation};
use migrate_core::ops::{AddConstraint, Opaque};
use migrate_core::schema::{Constraint, ConstraintKind, ObjectKey, Schema};
use migrate_core::step::Step;
use migrate_core::verdict::{Change, Difference};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The tables that are large here: those of a certain size, in bytes, that were there when the run began. One that somebody
/// had locked may be of any size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) tables: BTreeMap<QualifiedName, Large>,
    /// What makes a table large.
    pub(crate) limit: u64,
    /// What the server calls its version.
    pub(crate) version: String,
}

/// How large a table is, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Size {
    /// Its rows, but for the parts of them that are kept elsewhere; `None`: nobody knows.
    pub(crate) bytes: Option<u64>,
    /// About what is kept elsewhere, and its indexes.
    pub(crate) others: u64,
}

/// About how much room on the disk a step needs for a large table, until what was there before is given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Disk {
    pub(crate) table: QualifiedName,
    /// Whether the table is written anew, with all its indexes; otherwise an index on it is built, of some of its columns.
    pub(crate) rewrites: bool,
    /// In bytes; `None`: nobody knows. Of an index that is about as much as there can be.
    pub(crate) bytes: Option<u64>,
}

/// A table that is large, or may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Large {
    pub(crate) size: Size,
    /// Whether it belongs to the role that migrates itself: what is made for it gets the same owner and privileges as what
    /// PostgreSQL makes for it.
    pub(crate) owned: bool,
    /// Whether an update of its rows is nothing but that: no rule does something else, and what is published can be told
    /// apart by those who hear of it.
    pub(crate) plain: bool,
}

/// A step in phases, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lowered {
    pub(crate) lowering: Lowering,
    pub(crate) why: String,
}

impl Sizes {
    /// Follows what a step that is going to be run does to the names of tables.
    pub(crate) fn follow(&mut self, operation: &Operation) {
        let moved = match operation {
            Operation::RenameSchema(rename) => {
                let moves =
                    |name: QualifiedName| if name.schema == rename.name { QualifiedName::new(rename.to.clone(), name.name) } else { name };
                self.tables = std::mem::take(&mut self.tables).into_iter().map(|(name, size)| (moves(name), size)).collect();
                None
            }
            Operation::RenameTable(rename) => Some((&rename.table, rename.table.sibling(rename.to.clone()))),
            Operation::SetTableSchema(set) => Some((&set.table, QualifiedName::new(set.schema.clone(), set.table.name.clone()))),
            Operation::DropTable(drop) => {
                self.tables.remove(&drop.name);
                None
            }
            Operation::CreateTable(create) => {
                self.tables.remove(&create.table.name);
                None
            }
            _ => None,
        };
        if let Some((from, to)) = moved
            && let Some(size) = self.tables.remove(from)
        {
            self.tables.insert(to, size);
        }
    }

    /// What a step writes besides what is there.
    pub(crate) fn disk(&self, operation: &Operation, effects: &Effects) -> Vec<Disk> {
        let indexed = |constraint: &Constraint| constraint.kind.has_index();
        let builds = match operation {
            Operation::AddColumn(add) => add.constraints.iter().any(indexed),
            Operation::AddConstraint(add) => add.using_index.is_none() && indexed(&add.constraint),
            Operation::CreateIndex(_) => true,
            _ => false,
        };
        let rewritten = effects.rewrites.iter().map(|table| (table, true));
        let indexed = effects.scans.iter().filter(|table| builds && !effects.rewrites.contains(table)).map(|table| (table, false));
        let needs = |(table, rewrites): (&QualifiedName, bool)| {
            let size = self.tables.get(table)?.size;
            let others = if rewrites { size.others } else { 0 };
            Some(Disk { table: table.clone(), rewrites, bytes: size.bytes.map(|bytes| bytes.saturating_add(others)) })
        };
        rewritten.chain(indexed).filter_map(needs).collect()
    }

    /// The step in phases, if that is how it is to be run.
    pub(crate) fn lower(&self, step: &Step, operation: &Operation, live: &Schema) -> Option<Lowered> {
        let lowering = lower(operation, live)?;
        if lowering.is_begun {
            let why = format!("an interrupted attempt has begun it; PostgreSQL {}", self.version);
            return Some(Lowered { lowering, why });
        }
        let large = self.tables.get(&lowering.table)?;
        let makes_sequence = matches!(operation, Operation::AddColumn(add) if add.serial.is_some());
        if step.as_written || (lowering.fill.is_some() && !large.plain) || (makes_sequence && !large.owned) {
            return None;
        }
        let has = large
            .size
            .bytes
            .map_or_else(|| "could not be measured, as somebody has it locked".to_owned(), |size| format!("has {}", bytes(size)));
        let why = format!("`{}` {has}, and {} is large; PostgreSQL {}", lowering.table, bytes(self.limit), self.version);
        Some(Lowered { lowering, why })
    }
}

impl Lowered {
    /// All statements, in their order.
    pub(crate) fn sql(&self) -> Vec<String> {
        self.lowering.phases.iter().flat_map(|phase| phase.sql.iter().cloned()).collect()
    }

    /// What the phases do to a running system, given what the statement would do: they write nothing anew.
    pub(crate) fn effects(&self, effects: &Effects) -> Effects {
        let bare = Effects { locks: Vec::new(), rewrites: Vec::new(), transaction: TransactionNeed::Outside, ..effects.clone() };
        let locks = self.lowering.phases.iter().flat_map(|phase| &phase.locks);
        locks.fold(bare, |effects, (table, mode)| effects.and_lock(table, *mode))
    }

    /// How it was done, for the journal.
    pub(crate) fn evidence(&self) -> String {
        format!("in phases: {}", self.why)
    }
}

/// Whether what differs is only that nobody has validated yet what an interrupted attempt has added.
pub(crate) fn is_unvalidated(operation: &Operation, live: &Schema, changes: &[Change], differences: &[Difference]) -> bool {
    let one = |key: &ObjectKey| changes.iter().any(|change| change.key == *key && change.before.is_none());
    let open = match operation {
        Operation::AddConstraint(_) => "validated",
        Operation::AddColumn(_) => "not null",
        _ => return false,
    };
    let only_that = differences.iter().all(|difference| difference.aspect == open && one(&difference.key));
    only_that && lower(operation, live).is_some_and(|lowering| lowering.is_begun)
}

/// What removes what an interrupted attempt has left of a step that somebody else has finished, if there is something.
pub(crate) fn remove(operation: &Operation, live: &Schema) -> Option<Rendered> {
    let sql = Some(removal(operation, live)).filter(|sql| !sql.is_empty())?;
    let effects = operation.requires().iter().find_map(ObjectKey::table).map(|table| Effects::lock(table, LockMode::AccessExclusive));
    Some(Rendered { sql, effects, ..Rendered::default() })
}

/// Takes away from the live schema what a step in phases may have left there, so that it can be applied.
pub(crate) fn forget(operation: &Operation, live: &mut Schema) {
    let (table, columns, constraint) = match operation {
        Operation::AddColumn(add) => (&add.table, vec![&add.column.name], None),
        Operation::SetNotNull(set) => (&set.table, vec![&set.column], None),
        Operation::AddConstraint(add) => (&add.table, add.columns.iter().collect(), Some(&add.constraint.name)),
        _ => return,
    };
    let Some(table) = live.tables.get_mut(table) else { return };
    if let Operation::AddColumn(add) = operation {
        table.columns.retain(|column| column.name != add.column.name);
    }
    for column in columns {
        table.constraints.shift_remove(proof_name(column).as_str());
    }
    if let Some(name) = constraint {
        table.constraints.shift_remove(name.as_str());
        table.indexes.shift_remove(name.as_str());
    }
}

/// What drops what an interrupted attempt at a step in phases may have left besides what the step is about. The same whatever
/// is left, so that each keeps its number.
#[derive(Debug, Default)]
pub(crate) struct Remains {
    /// The proofs of columns.
    pub(crate) proofs: Vec<Operation>,
    /// The index of a constraint that isn't there yet. Nobody else's of that name: it has to be as the constraint needs it.
    pub(crate) index: Option<Operation>,
}

impl Remains {
    pub(crate) fn of(operation: &Operation) -> Self {
        let proof = |table: &QualifiedName, column: &Name| {
            let (table, proof) = (table.quoted(), proof_name(column).quoted());
            opaque("alter table", format!("alter table if exists {table} drop constraint if exists {proof}"))
        };
        match operation {
            Operation::SetNotNull(set) => Self { proofs: vec![proof(&set.table, &set.column)], index: None },
            Operation::AddConstraint(AddConstraint { table, constraint, .. }) => match &constraint.kind {
                ConstraintKind::PrimaryKey(key) => Self {
                    proofs: key.columns.iter().map(|column| proof(table, column)).collect(),
                    index: Some(drop_index(table, &constraint.name, &key.columns)),
                },
                ConstraintKind::Unique(key) => Self { proofs: Vec::new(), index: Some(drop_index(table, &constraint.name, &key.columns)) },
                _ => Self::default(),
            },
            _ => Self::default(),
        }
    }
}

fn opaque(kind: &str, sql: String) -> Operation {
    Opaque { kind: kind.to_owned(), sql: Expression::new(sql), ..Opaque::default() }.into()
}

fn drop_index(table: &QualifiedName, name: &Name, columns: &[Name]) -> Operation {
    let index = table.sibling(name.clone()).quoted();
    let columns: Vec<String> = columns.iter().map(|column| quote_literal(column.as_str())).collect();
    let sql = format!(
        "do $migrate$ begin if exists (select from pg_catalog.pg_index as i where i.indexrelid = pg_catalog.to_regclass({})::oid \
         and i.indrelid = pg_catalog.to_regclass({})::oid and i.indisunique and i.indpred is null \
         and not exists (select from pg_catalog.pg_constraint as c where c.conindid = i.indexrelid) \
         and (select pg_catalog.array_agg(a.attname::text order by k.place) from pg_catalog.unnest(i.indkey::int2[]) with ordinality as k (number, place) \
         join pg_catalog.pg_attribute as a on a.attrelid = i.indrelid and a.attnum = k.number where k.place <= i.indnkeyatts::bigint) \
         = array[{}]::text[]) then execute {}; end if; end $migrate$",
        quote_literal(&index),
        quote_literal(&table.quoted()),
        columns.join(", "),
        quote_literal(&format!("drop index {index}"))
    );
    opaque("do", sql)
}

/// `64 MiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let mut divisor = 1;
    while unit + 1 < units.len() && bytes / divisor >= 1024 {
        (unit, divisor) = (unit + 1, divisor * 1024);
    }
    let (whole, tenth) = (bytes / divisor, bytes % divisor * 10 / divisor);
    let mut text = whole.to_string();
    if tenth > 0 {
        let _ = write!(text, ".{tenth}");
    }
    format!("{text} {}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes_are_said_in_the_largest_unit() {
        let said: Vec<_> = [0, 1023, 1024, 64 << 20, 1536, 5 << 40, u64::MAX].map(bytes).to_vec();
        assert_eq!(said, ["0 bytes", "1023 bytes", "1 KiB", "64 MiB", "1.5 KiB", "5 TiB", "16777215.9 TiB"]);
    }
}
