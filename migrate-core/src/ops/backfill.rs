//! Changes the rows of a table in batches.
//!
//! - **SQL**: `backfill update t set … in batches of 1000`, `backfill delete from t … in batches of 1000`,
//!   `run function in batches of 1000 over t`
//! - **Lock**: unknown; that of the statement, on the rows of one batch at a time
//! - **Rewrites**: nothing
//! - **Transaction**: each batch has its own
//! - **Undo**: none: write `down!` or `irreversible!`
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, "Row Constructor Comparison"; `strong_migrations`, "Backfilling data"
//!
//! The engine walks along a key of the table and gives the statement a condition that names the next rows of it.

use crate::effects::{Effects, TransactionNeed};
use crate::expression::Expression;
use crate::name::{At, Name, QualifiedName};
use crate::operation::{Inverse, NoInverse, Operate};
use crate::ops::Opaque;
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Presence, Schema};
use serde::{Deserialize, Serialize};

/// The most rows that a batch may have: one of them is one transaction, and whoever wants to write one of its rows waits.
pub const LARGEST_BATCH: u32 = 100_000;

/// A change of rows in batches, each in a transaction of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backfill {
    /// The table whose rows are changed.
    pub table: QualifiedName,
    /// Whether the rows of its partitions and of those that inherit from it are left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only: bool,
    /// How many rows the first batch has.
    pub batch: u32,
    /// What is done to the rows of a batch.
    pub work: BatchWork,
    /// The columns that are set: the key is none of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sets: Vec<Name>,
    /// The statement up to its `where`, with the names in all of it.
    pub statement: Opaque,
    /// What can't be batched. Only what was just parsed has it.
    #[serde(skip)]
    pub refusals: Vec<(Unbatchable, At)>,
}

/// What is done to the rows of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchWork {
    /// An `update` or a `delete`.
    Statement {
        /// What the columns of the table are qualified with.
        called: Name,
        /// `where`, without that word.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        condition: Option<Expression>,
    },
    /// A Rust function gets the batch.
    Function {
        /// Its path as written.
        function: String,
    },
}

/// What has no meaning in batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unbatchable {
    /// `returning`: nobody reads it.
    Returning,
    /// `where current of`: there is no cursor.
    Cursor,
    /// `for portion of`: it adds rows.
    Portion,
}

/// What is wrong with the size of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchSizeProblem {
    /// It isn't a whole number.
    NoNumber,
    /// It has no rows.
    Empty,
    /// It has more than [`LARGEST_BATCH`].
    TooLarge,
}

impl BatchSizeProblem {
    /// What to say, and what to do.
    #[must_use]
    pub fn text(self) -> (String, String) {
        let help = "write `in batches of 1000`, or another number of rows".to_owned();
        match self {
            Self::NoNumber => ("the size of a batch is a whole number of rows".to_owned(), help),
            Self::Empty => ("a batch has at least one row".to_owned(), help),
            Self::TooLarge => (
                format!("a batch has at most {LARGEST_BATCH} rows: each is one transaction, and its rows are locked until it commits"),
                "write a size to begin with: batches grow while they are quick".to_owned(),
            ),
        }
    }
}

/// Reads the size of a batch: `1000`, `1_000`.
///
/// # Errors
/// Where it is none.
pub fn batch_size(text: &str) -> Result<u32, BatchSizeProblem> {
    let digits = text.replace('_', "");
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(BatchSizeProblem::NoNumber);
    }
    match digits.parse::<u32>() {
        Ok(0) => Err(BatchSizeProblem::Empty),
        Ok(size) if size <= LARGEST_BATCH => Ok(size),
        _ => Err(BatchSizeProblem::TooLarge),
    }
}

impl Backfill {
    /// A Rust function that gets the rows of a table in batches.
    #[must_use]
    pub fn run(function: String, table: QualifiedName, batch: u32) -> Self {
        let statement = Opaque { relations: vec![table.clone()], ..Opaque::default() };
        Self { table, only: false, batch, work: BatchWork::Function { function }, sets: Vec::new(), statement, refusals: Vec::new() }
    }

    /// The Rust function that it calls, if it does.
    #[must_use]
    pub fn function(&self) -> Option<&str> {
        match &self.work {
            BatchWork::Function { function } => Some(function),
            BatchWork::Statement { .. } => None,
        }
    }

    /// The statement for all rows at once; `None` for a Rust function.
    #[must_use]
    pub fn whole(&self) -> Option<String> {
        Batched::of(self).whole()
    }

    /// What its condition qualifies the columns of the table with, quoted where it must be.
    #[must_use]
    pub fn called(&self) -> String {
        match &self.work {
            BatchWork::Statement { called, .. } => called.quoted(),
            BatchWork::Function { .. } => self.table.name.quoted(),
        }
    }
}

/// The statement of a change in batches, as a kind of database takes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batched {
    /// The statement up to its `where`; `None`: a Rust function does it.
    pub head: Option<String>,
    /// `where`, without that word.
    pub condition: Option<String>,
}

impl Batched {
    /// As it was written.
    #[must_use]
    pub fn of(backfill: &Backfill) -> Self {
        match &backfill.work {
            BatchWork::Function { .. } => Self::default(),
            BatchWork::Statement { condition, .. } => Self {
                head: Some(backfill.statement.sql.sql().to_owned()),
                condition: condition.as_ref().map(|condition| condition.sql().to_owned()),
            },
        }
    }

    /// The statement for all rows at once; `None`: a Rust function does it.
    #[must_use]
    pub fn whole(&self) -> Option<String> {
        let head = self.head.as_deref()?;
        Some(match &self.condition {
            Some(condition) => format!("{head}\nwhere {condition}"),
            None => head.to_owned(),
        })
    }

    /// The statement for the rows of which `key` is true; `None`: a Rust function does it.
    #[must_use]
    pub fn for_rows(&self, key: &str) -> Option<String> {
        Some(with_condition(self.head.as_deref()?, self.condition.as_deref(), key))
    }
}

/// A statement with a condition more: `head` is its text up to its `where`. In lines of their own, so that no comment in
/// one part swallows the next.
fn with_condition(head: &str, condition: Option<&str>, and: &str) -> String {
    match condition {
        Some(condition) => format!("{head}\nwhere ({condition}\n)\nand {and}"),
        None => format!("{head}\nwhere {and}"),
    }
}

impl Operate for Backfill {
    fn describe(&self) -> String {
        let size = self.batch;
        match &self.work {
            BatchWork::Function { function } => format!("run `{function}` in batches of {size} over `{}`", self.table),
            BatchWork::Statement { .. } => {
                let mut line = self.whole().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
                if line.chars().count() > 60 {
                    line = line.chars().take(57).chain("...".chars()).collect();
                }
                format!("backfill `{line}` in batches of {size}")
            }
        }
    }

    fn requires(&self) -> Vec<ObjectKey> {
        self.statement.requires()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        Vec::new()
    }

    fn bind(&mut self, schema: &Schema) {
        self.statement.bind(schema);
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        for (refusal, at) in &self.refusals {
            report.unbatchable(*refusal, *at);
        }
        match schema.relation_kind(&self.table) {
            Some(kind @ ("view" | "materialized view")) => return report.no_table_to_batch(&self.table, kind),
            Some("table") => self.check_key(schema, report),
            _ => {}
        }
        self.statement.check(schema, report);
    }

    fn apply(&self, _schema: &mut Schema, _origin: &Origin) {}

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects::unknown(TransactionNeed::Outside)
    }

    fn inverse(&self, _before: &Schema) -> Inverse {
        Err(match &self.work {
            BatchWork::Function { function } => NoInverse::because(format!("nobody knows what undoes the function `{function}`")),
            BatchWork::Statement { .. } => NoInverse::because(format!("`backfill {}` is run as it stands", self.statement.kind)),
        })
    }

    fn render(&self) -> Vec<String> {
        self.whole().map(|whole| format!("backfill {whole}\nin batches of {}", self.batch)).into_iter().collect()
    }
}

impl Backfill {
    /// Reports a table without a key to walk along, as far as the model knows, and a key that would change on the way.
    fn check_key(&self, schema: &Schema, report: &mut Report) {
        let Some(table) = schema.table(&self.table) else { return };
        let keys = table.walkable_keys();
        let is_set = |column: &Name| self.sets.iter().find(|set| *set == column);
        if let Some(first) = keys.first() {
            if keys.iter().all(|key| key.iter().any(|column| is_set(column).is_some()))
                && let Some(set) = first.iter().find_map(is_set)
            {
                report.backfill_sets_key(&self.table, set);
            }
        } else if table.presence == Presence::Owned {
            // of what others own, only a part may be declared
            report.no_key_to_batch(&self.table);
        }
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::{Backfill, BatchWork, Unbatchable};
    use crate::lower::syntax;
    use crate::name::Name;
    use crate::ops::Opaque;
    use squawk_syntax::ast::{self, AstNode, NameLike};

    impl Backfill {
        /// `sql`: the statement's text. `None`: it is no `update` or `delete`.
        pub(crate) fn lower(statement: &ast::Stmt, sql: &str, batch: u32) -> Option<Self> {
            let (target, alias, portion, filter, returning) = match statement {
                ast::Stmt::Update(it) => {
                    (it.relation_name()?, it.alias(), it.for_portion_of(), it.where_clause_or_current_of(), it.returning_clause())
                }
                ast::Stmt::Delete(it) => {
                    (it.relation_name()?, it.alias(), it.for_portion_of(), it.where_clause_or_current_of(), it.returning_clause())
                }
                _ => return None,
            };
            let table = syntax::path_ref(&target.relation_name_ref()?.path_ref()?)?;
            let alias = alias.and_then(|alias| alias.name()).map(|alias| Name::new(alias.text()));
            let mut refusals = Vec::new();
            refusals.extend(portion.map(|node| (Unbatchable::Portion, syntax::at(node.syntax()))));
            refusals.extend(returning.map(|node| (Unbatchable::Returning, syntax::at(node.syntax()))));
            let start = syntax::at(statement.syntax()).range().start;
            let (mut head, mut condition) = (sql, None);
            match filter {
                Some(ast::WhereClauseOrCurrentOf::WhereCurrentOf(cursor)) => {
                    refusals.push((Unbatchable::Cursor, syntax::at(cursor.syntax())));
                }
                Some(ast::WhereClauseOrCurrentOf::WhereClause(clause)) => {
                    head = sql.get(..syntax::at(clause.syntax()).range().start.saturating_sub(start)).unwrap_or(sql).trim_end();
                    condition = clause.expr().map(|expression| syntax::expression(&expression));
                }
                None => {}
            }
            let mut written = Opaque::lower(statement, head);
            let sets = written.data.assignments.iter().filter(|set| set.table == table).map(|set| set.column.clone()).collect();
            written.sql = crate::expression::Expression::written(head, written.sql.at);
            let called = alias.unwrap_or_else(|| table.name.clone());
            Some(Self {
                only: target.only_token().is_some(),
                table,
                batch,
                work: BatchWork::Statement { called, condition },
                sets,
                statement: written,
                refusals,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_whole_numbers_of_rows() {
        assert_eq!(batch_size("1_000"), Ok(1000));
        assert_eq!(batch_size("100000"), Ok(LARGEST_BATCH));
        for (text, problem) in [
            ("", BatchSizeProblem::NoNumber),
            ("1.5", BatchSizeProblem::NoNumber),
            ("many", BatchSizeProblem::NoNumber),
            ("0", BatchSizeProblem::Empty),
            ("100001", BatchSizeProblem::TooLarge),
            ("99999999999999999999", BatchSizeProblem::TooLarge),
        ] {
            assert_eq!(batch_size(text), Err(problem), "{text}");
        }
    }

    #[test]
    fn a_comment_at_the_end_of_a_part_swallows_nothing() {
        assert_eq!(
            with_condition("update t set a = 1", Some("b = 2 or c -- why"), "t.id > 3"),
            "update t set a = 1\nwhere (b = 2 or c -- why\n)\nand t.id > 3"
        );
        assert_eq!(with_condition("delete from t", None, "t.id > 3"), "delete from t\nwhere t.id > 3");
    }
}
