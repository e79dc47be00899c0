//! What a change in batches is on every kind of database: the key that it goes by, how far it has come, and its pace.

use super::batches::Walkable;
use super::{Event, Options, milliseconds};
use migrate_core::name::{Name, quote_literal};
use migrate_core::ops::LARGEST_BATCH;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// A key of a table, by which its rows are walked along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// Its columns, in its order.
    pub(crate) columns: Vec<KeyColumn>,
}

/// A column of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyColumn {
    /// Its name.
    pub(crate) name: Name,
    /// What its rows are sorted by: its type, and its collation.
    pub(crate) order: String,
    /// How its values are compared.
    pub(crate) comparison: Comparison,
}

/// How values of a column are written and compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// A text that is cast to the column's type, and the operators of the index.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "SQLite compares literals"))]
    Typed {
        /// The type.
        data_type: String,
        /// `>`, `<=` and `=` of the index's operator class, as they have to be written.
        operators: [String; 3],
    },
    /// A literal, compared by what SQLite knows of the column.
    #[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "PostgreSQL knows what it compares"))]
    Literal,
}

impl KeyColumn {
    fn literal(&self, value: &str) -> String {
        match &self.comparison {
            Comparison::Typed { data_type, .. } => format!("{}::{data_type}", quote_literal(value)),
            Comparison::Literal => value.to_owned(),
        }
    }

    fn operator(&self, which: usize) -> &str {
        match &self.comparison {
            Comparison::Typed { operators, .. } => &operators[which],
            Comparison::Literal => [">", "<=", "="][which],
        }
    }
}

const GREATER: usize = 0;
const AT_MOST: usize = 1;
const EQUAL: usize = 2;

impl Key {
    /// The columns, without quotes.
    pub(crate) fn names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.as_str().to_owned()).collect()
    }

    /// What each of them is sorted by.
    pub(crate) fn order(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.order.clone()).collect()
    }

    /// The columns for a list, qualified with what the table is called, and each with `suffix`.
    pub(crate) fn list(&self, called: &str, suffix: &str) -> String {
        let columns: Vec<String> = self.columns.iter().map(|column| format!("{called}.{}{suffix}", column.name.quoted())).collect();
        columns.join(", ")
    }

    /// True for the rows behind `after`, up to `upto` and with it.
    pub(crate) fn condition(&self, called: &str, after: Option<&[String]>, upto: &[String]) -> String {
        let behind = after.map(|after| format!("{} and ", self.compare(called, GREATER, after)));
        format!("{}{}", behind.unwrap_or_default(), self.compare(called, AT_MOST, upto))
    }

    /// A comparison of whole keys. One of rows can use an index; it needs one name for the operators of all columns.
    fn compare(&self, called: &str, which: usize, values: &[String]) -> String {
        let literals: Vec<String> = self.columns.iter().zip(values).map(|(column, value)| column.literal(value)).collect();
        let column = |column: &KeyColumn| format!("{called}.{}", column.name.quoted());
        if let ([one], [literal]) = (self.columns.as_slice(), literals.as_slice()) {
            return format!("{} {} {literal}", column(one), one.operator(which));
        }
        let operator = self.columns.first().map_or(">", |first| first.operator(which));
        if self.columns.iter().all(|column| column.operator(which) == operator) {
            return format!("({}) {operator} ({})", self.list(called, ""), literals.join(", "));
        }
        // the last column decides where all before it are equal
        let last = self.columns.len().saturating_sub(1);
        let alternatives = (0..self.columns.len()).map(|deciding| {
            let equal = (0..deciding).map(|i| format!("{} {} {}", column(&self.columns[i]), self.columns[i].operator(EQUAL), literals[i]));
            let one = &self.columns[deciding];
            let strictly = if deciding == last || which == GREATER {
                format!("{} {} {}", column(one), one.operator(which), literals[deciding])
            } else {
                format!("not {} {} {}", column(one), one.operator(GREATER), literals[deciding])
                    + &format!(" and not {} {} {}", column(one), one.operator(EQUAL), literals[deciding])
            };
            equal.chain([strictly]).collect::<Vec<_>>().join(" and ")
        });
        let alternatives: Vec<String> = alternatives.map(|alternative| format!("({alternative})")).collect();
        format!("({})", alternatives.join(" or "))
    }
}

/// How far a change in batches has come, as the journal keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    /// The columns of the key that it goes by.
    pub(crate) key: Vec<String>,
    /// What each of them was sorted by when it began; nothing, where an older format of the journal didn't say.
    #[serde(default)]
    pub(crate) order: Vec<String>,
    /// Which table it was when it began, as in [`Walkable`]; empty, where that isn't known.
    #[serde(default)]
    pub(crate) identity: String,
    /// The key of the last row that is done.
    pub(crate) after: Option<Vec<String>>,
    /// The last key that there was when it began; `None`: the table was empty.
    pub(crate) upto: Option<Vec<String>>,
    /// How many rows it has passed.
    pub(crate) passed: u64,
    /// How many it has changed.
    pub(crate) changed: u64,
    /// In how many batches.
    pub(crate) batches: u64,
    /// How many rows the next batch has.
    pub(crate) size: u32,
    /// In how many runs.
    pub(crate) runs: u64,
    /// How long that took, pauses included.
    pub(crate) worked_ms: u64,
}

impl Cursor {
    /// Before the first batch.
    pub(crate) fn new(table: &Walkable, key: &Key, upto: Option<Vec<String>>, size: u32) -> Self {
        Self { key: key.names(), order: key.order(), identity: table.identity.clone(), upto, size, ..Self::default() }
    }

    /// The last key, as long as it isn't reached.
    pub(crate) fn end(&self) -> Option<Vec<String>> {
        self.upto.clone().filter(|_| self.after != self.upto)
    }

    /// Goes on behind a batch.
    pub(crate) fn pass(&mut self, upto: Vec<String>, passed: u64, changed: u64) {
        self.after = Some(upto);
        self.passed += passed;
        self.changed += changed;
        self.batches += 1;
    }

    /// What it has done, for the journal.
    pub(crate) fn evidence(&self) -> String {
        let batches = if self.batches == 1 { "1 batch".to_owned() } else { format!("{} batches", self.batches) };
        let runs = if self.runs > 1 { format!(", {} runs and {:.1} s", self.runs, seconds(self.worked_ms)) } else { String::new() };
        format!("{} of {} rows changed in {batches}{runs}", self.changed, self.passed)
    }

    /// What holds where it is interrupted.
    pub(crate) fn held(&self) -> String {
        if self.batches == 0 {
            return "no batch of it is done".to_owned();
        }
        format!("{} rows in {} of its batches are done and committed, and the next run goes on behind them", self.passed, self.batches)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a number for people")]
fn seconds(milliseconds: u64) -> f64 {
    milliseconds as f64 / 1000.0
}

/// How many rows a batch has: as many as can be done in the time that is meant for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    size: u32,
    target: Duration,
}

impl Pace {
    pub(crate) fn new(size: u32, target: Duration) -> Self {
        Self { size: size.clamp(1, LARGEST_BATCH), target: target.max(Duration::from_millis(1)) }
    }

    pub(crate) fn size(&self) -> u32 {
        self.size
    }

    /// After a batch of that size: the next one grows to twice its size at most, and shrinks as far as it must.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what a u32 holds")]
    pub(crate) fn took(&mut self, took: Duration) {
        let ratio = self.target.as_secs_f64() / took.as_secs_f64().max(0.000_1);
        // a batch that is nearly right is right: it needs no other size each time
        if !(0.8..=1.25).contains(&ratio) {
            let size = (f64::from(self.size) * ratio.min(2.0)).floor();
            self.size = size.clamp(1.0, f64::from(LARGEST_BATCH)) as u32;
        }
    }

    /// After a batch that was in somebody's way, or somebody in its.
    pub(crate) fn halve(&mut self) {
        self.size = (self.size / 2).max(1);
    }
}

/// How a change in batches gets on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BackfillProgress {
    /// Its revision.
    pub revision: String,
    /// Its number in the migration, from 1.
    pub number: usize,
    /// How many rows it has passed, in this run and those before it.
    pub passed: u64,
    /// How many of them it has changed.
    pub changed: u64,
    /// How many rows the table has, as far as the server can tell without counting.
    pub estimate: Option<u64>,
    /// How many rows it passes in a second, in this run.
    pub rows_per_second: u64,
    /// How many batches are done, in this run and those before it.
    pub batches: u64,
    /// How many rows the next batch has.
    pub batch_size: u32,
    /// How long the last batch took, in milliseconds; `None` at the beginning.
    pub took_ms: Option<u64>,
    /// Whether an earlier run has begun it.
    pub resumed: bool,
}

/// Tells how it gets on.
#[derive(Debug)]
pub(crate) struct Teller<'a> {
    options: &'a Options,
    revision: &'a str,
    number: usize,
    estimate: Option<u64>,
    began: Instant,
    /// How many rows were passed before this run.
    before: u64,
    resumed: bool,
}

impl<'a> Teller<'a> {
    pub(crate) fn new(options: &'a Options, revision: &'a str, number: usize, estimate: Option<u64>, cursor: &Cursor) -> Self {
        let resumed = cursor.runs > 1;
        Self { options, revision, number, estimate, began: Instant::now(), before: cursor.passed, resumed }
    }

    pub(crate) fn worked(&self) -> Duration {
        self.began.elapsed()
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a number for people")]
    pub(crate) fn tell(&self, cursor: &Cursor, pace: &Pace, took: Option<Duration>) {
        let rate = (cursor.passed - self.before.min(cursor.passed)) as f64 / self.began.elapsed().as_secs_f64().max(0.001);
        self.options.tell(&Event::Backfill(BackfillProgress {
            revision: self.revision.to_owned(),
            number: self.number,
            passed: cursor.passed,
            changed: cursor.changed,
            // what the server remembers may be less than what was found
            estimate: self.estimate.map(|estimate| estimate.max(cursor.passed)),
            rows_per_second: if took.is_some() { rate as u64 } else { 0 },
            batches: cursor.batches,
            batch_size: pace.size(),
            took_ms: took.map(milliseconds),
            resumed: self.resumed,
        }));
    }

    pub(crate) fn delayed(&self, reason: String, pause: Duration) {
        let (revision, pause_ms) = (self.revision.to_owned(), milliseconds(pause));
        self.options.tell(&Event::BatchDelayed { revision, number: self.number, reason, pause_ms });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, data_type: &str, operators: [&str; 3]) -> KeyColumn {
        let operators = operators.map(str::to_owned);
        let order = data_type.to_owned();
        KeyColumn { name: name.into(), order, comparison: Comparison::Typed { data_type: data_type.to_owned(), operators } }
    }

    const PLAIN: [&str; 3] = [">", "<=", "="];

    #[test]
    fn a_batch_grows_to_twice_its_size_and_shrinks_as_far_as_it_must() {
        let mut pace = Pace::new(1000, Duration::from_millis(500));
        pace.took(Duration::from_millis(10));
        assert_eq!(pace.size(), 2000);
        pace.took(Duration::from_millis(450));
        assert_eq!(pace.size(), 2000, "near enough");
        pace.took(Duration::from_secs(5));
        assert_eq!(pace.size(), 200);
        pace.took(Duration::from_mins(10));
        assert_eq!(pace.size(), 1);
        pace.took(Duration::ZERO);
        assert_eq!(pace.size(), 2);
        pace.halve();
        pace.halve();
        assert_eq!(pace.size(), 1);
        let mut pace = Pace::new(LARGEST_BATCH, Duration::from_millis(500));
        pace.took(Duration::from_millis(1));
        assert_eq!(pace.size(), LARGEST_BATCH);
    }

    #[test]
    fn a_key_is_compared_as_a_row_where_it_can_be() {
        let one = Key { columns: vec![column("id", "uuid", PLAIN)] };
        assert_eq!(one.condition("t", None, &["b".into()]), "t.id <= 'b'::uuid");
        assert_eq!(one.condition("t", Some(&["a'".into()]), &["b".into()]), "t.id > 'a'''::uuid and t.id <= 'b'::uuid");
        let two = Key { columns: vec![column("a", "integer", PLAIN), column("B", "text", PLAIN)] };
        assert_eq!(
            two.condition("t", Some(&["1".into(), "x".into()]), &["2".into(), "y".into()]),
            "(t.a, t.\"B\") > ('1'::integer, 'x'::text) and (t.a, t.\"B\") <= ('2'::integer, 'y'::text)"
        );
    }

    #[test]
    fn operators_of_several_schemas_are_compared_one_by_one() {
        let foreign = ["operator(app.>)", "operator(app.<=)", "operator(app.=)"];
        let key = Key { columns: vec![column("a", "integer", PLAIN), column("b", "app.citext", foreign)] };
        assert_eq!(
            key.condition("t", Some(&["1".into(), "x".into()]), &["2".into(), "y".into()]),
            "((t.a > '1'::integer) or (t.a = '1'::integer and t.b operator(app.>) 'x'::app.citext)) and \
             ((not t.a > '2'::integer and not t.a = '2'::integer) or (t.a = '2'::integer and t.b operator(app.<=) 'y'::app.citext))"
        );
    }

    #[test]
    fn an_empty_table_has_nothing_to_do() {
        assert_eq!(Cursor::default().end(), None);
        let end = Some(vec!["9".to_owned()]);
        let mut cursor = Cursor { upto: end.clone(), runs: 1, ..Cursor::default() };
        assert_eq!(cursor.end(), end);
        cursor.pass(vec!["5".to_owned()], 5, 3);
        assert_eq!(cursor.end(), end);
        cursor.pass(vec!["9".to_owned()], 4, 4);
        assert_eq!(cursor.end(), None);
        assert_eq!(cursor.evidence(), "7 of 9 rows changed in 2 batches");
    }
}
