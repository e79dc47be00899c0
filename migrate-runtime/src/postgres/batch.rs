//! Many statements in one message: one round trip, and the number of answers says which one failed.

use futures_util::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Either, PgConnection};
use std::time::{Duration, Instant};

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
    /// The journal.
    Journal,
    /// The end of the transaction.
    Commit,
}

/// What became of a batch.
#[derive(Debug)]
pub(super) struct Sent {
    /// How long each statement took, as seen from here; parallel to the items that were answered.
    pub(super) answered: Vec<(Item, Duration)>,
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

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Sends everything and reads all answers. `heard` is called with each, as it comes in.
    pub(super) async fn send(self, connection: &mut PgConnection, heard: &mut (dyn FnMut(Item) + Send)) -> Sent {
        let mut answered = Vec::with_capacity(self.items.len());
        let mut last = Instant::now();
        let mut answers = sqlx::raw_sql(AssertSqlSafe(self.text)).fetch_many(connection);
        loop {
            match answers.try_next().await {
                Ok(Some(Either::Left(_))) => {
                    let now = Instant::now();
                    if let Some(item) = self.items.get(answered.len()) {
                        answered.push((*item, now.duration_since(last)));
                        heard(*item);
                    }
                    last = now;
                }
                Ok(Some(Either::Right(_))) => {}
                Ok(None) => return Sent { answered, failed: None },
                Err(error) => {
                    let item = self.items.get(answered.len()).copied().unwrap_or(Item::Commit);
                    return Sent { answered, failed: Some((item, error)) };
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
