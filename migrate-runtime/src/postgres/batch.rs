//! Many statements in one message: one round trip, and the number of answers says which one failed.

use futures_util::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Either, PgConnection, Row as _};
use std::collections::BTreeMap;
use std::time::Duration;

/// The server's clock, in seconds, as text.
pub(super) const CLOCK: &str = "extract(epoch from pg_catalog.clock_timestamp())::text";

/// A text that is longer than what the server holds back of its answers: with it comes everything before it.
pub(super) const FLUSH: &str = "pg_catalog.repeat('.', 8192)";

/// Statements that are sent together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    text: String,
    /// What each statement is for; parallel to the answers.
    items: Vec<(usize, Item)>,
    /// Which piece of work the next statement belongs to.
    pub(super) work: usize,
}

/// What a statement is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Item {
    /// Begin, settings, savepoints.
    Frame,
    /// A statement of the step with this index.
    Step(usize),
    /// The server's clock in the first column, before or after that step, or the whole work: the server sends its answers
    /// together, so that nobody else can time them.
    Clock(Option<usize>),
    /// The journal.
    Journal,
    /// The end of the transaction.
    Commit,
}

/// What became of a batch.
#[derive(Debug)]
pub(super) struct Sent {
    /// The work and the item that failed, and why.
    pub(super) failed: Option<(usize, Item, sqlx::Error)>,
}

/// Hears of every answer, as it comes in: the work and the item that it is for, and how long that took by the server's
/// clock, with the second look at it.
pub(super) type Hears<'a> = &'a mut (dyn FnMut(usize, Item, Option<Duration>) + Send);

impl Batch {
    /// A message that begins with a comment: whoever looks at the sessions of the server sees no more than its beginning.
    pub(super) fn of(migrations: &[&str]) -> Self {
        let plain = |name: &str| name.replace('*', "");
        let text = match migrations {
            [] => String::new(),
            [one] => format!("/* {} */ ", plain(one)),
            [first, .., last] => format!("/* {} to {} */ ", plain(first), plain(last)),
        };
        Self { text, ..Self::default() }
    }

    pub(super) fn push(&mut self, item: Item, sql: &str) {
        self.text.push_str(sql);
        // a line comment at the end must not swallow the semicolon
        self.text.push_str("\n;\n");
        self.items.push((self.work, item));
    }

    /// Asks for the server's clock, before or after a step.
    pub(super) fn push_clock(&mut self, step: usize) {
        self.push(Item::Clock(Some(step)), &format!("select {CLOCK}"));
    }

    /// Asks for the server's clock before a step, and has it send the answers so far: the step may take long.
    pub(super) fn push_clock_and_flush(&mut self, step: usize) {
        self.push(Item::Clock(Some(step)), &format!("select {CLOCK}, {FLUSH}"));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How long the message is, in bytes.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Sends everything and reads all answers.
    pub(super) async fn send(self, connection: &mut PgConnection, heard: Hears<'_>) -> Sent {
        let mut answered = 0;
        let mut clocks: BTreeMap<(usize, Item), f64> = BTreeMap::new();
        let mut took = None;
        let mut answers = sqlx::raw_sql(AssertSqlSafe(self.text)).fetch_many(connection);
        loop {
            match answers.try_next().await {
                Ok(Some(Either::Left(_))) => {
                    if let Some((work, item)) = self.items.get(answered) {
                        heard(*work, *item, took.take());
                    }
                    answered += 1;
                }
                Ok(Some(Either::Right(row))) => {
                    if let Some(place @ (_, Item::Clock(_))) = self.items.get(answered)
                        && let Some(now) = row.try_get::<String, _>(0).ok().and_then(|text| text.parse::<f64>().ok())
                    {
                        let before = clocks.insert(*place, now);
                        took = before.map(|before| Duration::try_from_secs_f64(now - before).unwrap_or_default());
                    }
                }
                Ok(None) => return Sent { failed: None },
                Err(error) => {
                    let last = self.items.last().map_or(0, |(work, _)| *work);
                    let (work, item) = self.items.get(answered).copied().unwrap_or((last, Item::Commit));
                    return Sent { failed: Some((work, item, error)) };
                }
            }
        }
    }
}

/// Splits `count` steps into groups that share a savepoint, so that at most `savepoints` are needed.
pub(super) fn groups(count: usize, savepoints: usize) -> Vec<std::ops::Range<usize>> {
    let size = count.div_ceil(savepoints.max(1)).max(1);
    (0..count).step_by(size).map(|start| start..(start + size).min(count)).collect()
}

#[cfg(test)]
mod tests {
    use super::groups;

    #[test]
    fn few_steps_have_a_savepoint_each() {
        assert_eq!(groups(3, 60), [0..1, 1..2, 2..3]);
    }

    #[test]
    fn many_steps_share_at_most_that_many() {
        for count in 1..700 {
            let groups = groups(count, 50);
            assert!(groups.len() <= 50, "{count}");
            assert_eq!(groups.first().map(|group| group.start), Some(0));
            assert_eq!(groups.last().map(|group| group.end), Some(count));
            assert!(groups.windows(2).all(|pair| pair[0].end == pair[1].start));
        }
    }
}
