//! Many statements in one message: one round trip, and the number of answers says which one failed.

use futures_util::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Either, PgConnection, Row as _};
use std::time::Duration;

/// Statements that are sent together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    text: String,
    /// What each statement is for; parallel to the answers.
    items: Vec<Item>,
}

/// What a statement is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// Begin, settings, savepoints.
    Frame,
    /// A statement of the step with this index.
    Step(usize),
    /// The server's clock, before or after that step: it sends its answers together, so that nobody else can time them.
    Clock(usize),
    /// The journal.
    Journal,
    /// The end of the transaction.
    Commit,
}

/// What became of a batch.
#[derive(Debug)]
pub(super) struct Sent {
    /// How long steps took by the server's clock, as far as it was asked.
    pub(super) took: Vec<(usize, Duration)>,
    /// The item that failed, and why.
    pub(super) failed: Option<(Item, sqlx::Error)>,
}

impl Batch {
    pub(super) fn push(&mut self, item: Item, sql: &str) {
        self.text.push_str(sql);
        // a line comment at the end must not swallow the semicolon
        self.text.push_str("\n;\n");
        self.items.push(item);
    }

    /// Asks for the server's clock, before or after a step.
    pub(super) fn push_clock(&mut self, step: usize) {
        self.push(Item::Clock(step), "select extract(epoch from pg_catalog.clock_timestamp())::text");
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Sends everything and reads all answers. `heard` is called with each, as it comes in.
    pub(super) async fn send(self, connection: &mut PgConnection, heard: &mut (dyn FnMut(Item) + Send)) -> Sent {
        let mut answered = 0;
        let mut clocks: Vec<(usize, f64)> = Vec::new();
        let mut answers = sqlx::raw_sql(AssertSqlSafe(self.text)).fetch_many(connection);
        loop {
            match answers.try_next().await {
                Ok(Some(Either::Left(_))) => {
                    if let Some(item) = self.items.get(answered) {
                        heard(*item);
                    }
                    answered += 1;
                }
                Ok(Some(Either::Right(row))) => {
                    if let Some(Item::Clock(step)) = self.items.get(answered) {
                        clocks.extend(row.try_get::<String, _>(0).ok().and_then(|text| Some((*step, text.parse().ok()?))));
                    }
                }
                Ok(None) => return Sent { took: took(&clocks), failed: None },
                Err(error) => {
                    let item = self.items.get(answered).copied().unwrap_or(Item::Commit);
                    return Sent { took: took(&clocks), failed: Some((item, error)) };
                }
            }
        }
    }
}

/// From what the clock showed before and after each step, in seconds.
fn took(clocks: &[(usize, f64)]) -> Vec<(usize, Duration)> {
    let pairs = clocks.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    pairs.map(|pair| (pair[0].0, Duration::try_from_secs_f64(pair[1].1 - pair[0].1).unwrap_or_default())).collect()
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
