//! A wait for a lock. SQLite's own is never used for it: that can't be ended or watched, and some locks it doesn't wait for.

use std::time::{Duration, Instant};

/// The longest pause between two attempts.
const LONGEST: Duration = Duration::from_millis(250);

/// A wait that lasts as long as the options say, and no longer.
#[derive(Debug)]
pub(super) struct Wait {
    began: Instant,
    limit: Duration,
    pause: Duration,
}

impl Wait {
    pub(super) fn new(limit: Duration) -> Self {
        Self { began: Instant::now(), limit, pause: Duration::from_millis(10) }
    }

    pub(super) fn waited(&self) -> Duration {
        self.began.elapsed()
    }

    /// What is left of it.
    pub(super) fn left(&self) -> Duration {
        self.limit.saturating_sub(self.waited())
    }

    pub(super) fn is_over(&self) -> bool {
        self.left().is_zero()
    }

    /// Lets some time go by before the next attempt, and never more than is left.
    pub(super) async fn pause(&mut self) {
        tokio::time::sleep(self.pause.min(self.left())).await;
        self.pause = (self.pause * 2).min(LONGEST);
    }
}
