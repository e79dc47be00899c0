//! A migrator that can be killed: this program itself, told by its environment what to do.

use crate::subject::Subject;
use crate::way::Way;
use std::process::{self, Command, Stdio};

const URL: &str = "CHAOS_MIGRATOR_URL";
const CASE: &str = "CHAOS_MIGRATOR_CASE";
const WAY: &str = "CHAOS_MIGRATOR_WAY";

/// The newest server that a case can be for: who starts the process knows that it takes this one.
const ANY_VERSION: u32 = u32::MAX;

/// A process that goes a way. Killed when this is dropped.
pub struct Child(process::Child);

impl Child {
    pub fn start(subject: &Subject, url: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "migrator::goes_where_it_is_told_to"]);
        command.env(URL, url).env(CASE, &subject.name).env(WAY, subject.way.name());
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
async fn goes_where_it_is_told_to() {
    let (Ok(url), Ok(case), Ok(way)) = (std::env::var(URL), std::env::var(CASE), std::env::var(WAY)) else { return };
    let way = Way::parse(&way);
    let subject = Subject::read(&case, ANY_VERSION, way).unwrap();
    way.go(&url, subject.chain).await.unwrap();
}
