//! A migrator that can be killed: this program itself, told by its environment what to do.

use crate::prepared::up;
use crate::subject::Subject;
use std::process::{self, Command, Stdio};

const URL: &str = "CHAOS_MIGRATOR_URL";
const CASE: &str = "CHAOS_MIGRATOR_CASE";

/// The newest server that a case can be for: who starts the process knows that it takes this one.
const ANY_VERSION: u32 = u32::MAX;

/// A process that runs `up`. Killed when this is dropped.
pub struct Child(process::Child);

impl Child {
    pub fn start(case: &str, url: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "migrator::runs_up_where_it_is_told_to"]).env(URL, url).env(CASE, case);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }

    pub fn is_alive(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    /// Whether there was something to kill.
    pub fn kill(&mut self) -> bool {
        let alive = self.is_alive();
        self.0.kill().unwrap();
        self.0.wait().unwrap();
        alive
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // it may have ended by itself
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// No test of its own: what the others start. Without orders there is nothing to do.
#[tokio::test]
async fn runs_up_where_it_is_told_to() {
    let (Ok(url), Ok(case)) = (std::env::var(URL), std::env::var(CASE)) else { return };
    let subject = Subject::read(&case, ANY_VERSION).unwrap();
    up(&url, subject.chain).await.unwrap();
}
