//! A PostgreSQL cluster in a temporary directory, which cannot outlive the process that started it.

use std::fs::{self, DirBuilder};
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::binaries::ServerBinaries;

const START_LIMIT: Duration = Duration::from_mins(2);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Nothing here is to survive a crash of the machine, and everything that goes wrong is to be found in the log by
/// database and SQLSTATE. Autovacuum is off since its locks would show up in tests that look at `pg_locks`.
const SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=200",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "autovacuum=off",
    "timezone=UTC",
    "log_timezone=UTC",
    "logging_collector=off",
    "log_destination=stderr",
    "log_min_messages=error",
    "log_error_verbosity=verbose",
    "log_line_prefix=%m [%p] database=%d sqlstate=%e ",
];

/// What a server in production has. They come after the others, and win.
const DURABLE: &[&str] = &["fsync=on", "synchronous_commit=on", "full_page_writes=on", "autovacuum=on"];

/// A running cluster of our own: trust authentication, superuser `postgres`, only on 127.0.0.1.
///
/// A watchdog process is the server's parent. It stops the server and removes the directory when this value is dropped,
/// and also when the process that holds it dies without dropping it.
#[derive(Debug)]
pub(crate) struct Cluster {
    directory: PathBuf,
    port: u16,
    watchdog: Child,
}

/// Why a cluster did not start. Nothing of it is left behind.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The operating system refused something.
    #[error("cannot {action}: {source}")]
    System {
        /// What was tried.
        action: String,
        /// The cause.
        source: io::Error,
    },
    /// PostgreSQL refuses to run as root, and there is nobody else.
    #[error("a PostgreSQL server does not run as root\nhelp: add a user `postgres`, or run the tests as another user")]
    NoOtherUser,
    /// `initdb` or `postgres` ended with a message of its own.
    #[error("{program} failed:\n{output}")]
    Failed {
        /// `initdb` or `postgres`.
        program: &'static str,
        /// What it wrote.
        output: String,
    },
    /// Neither ready nor failed in two minutes.
    #[error("the server was not ready after {} seconds; its log:\n{log}", START_LIMIT.as_secs())]
    NotReady {
        /// What it wrote so far.
        log: String,
    },
}

impl Cluster {
    pub(crate) fn start(binaries: &ServerBinaries) -> Result<Self, ClusterError> {
        Self::start_with(binaries, &[])
    }

    /// One that survives a crash of the machine, as those in production do: for what is timed.
    pub(crate) fn start_durable(binaries: &ServerBinaries) -> Result<Self, ClusterError> {
        Self::start_with(binaries, DURABLE)
    }

    fn start_with(binaries: &ServerBinaries, more: &[&str]) -> Result<Self, ClusterError> {
        // Between choosing a port and listening on it somebody else can take it.
        let mut attempts_left = 3;
        loop {
            attempts_left -= 1;
            match Self::start_once(binaries, more) {
                Err(ClusterError::Failed { output, .. }) if attempts_left > 0 && output.contains("Address already in use") => {}
                result => return result,
            }
        }
    }

    fn start_once(binaries: &ServerBinaries, more: &[&str]) -> Result<Self, ClusterError> {
        let port = free_port().map_err(failed_to("find a free port"))?;
        let user = ServerUser::choose()?;
        let directory = new_directory(user.as_ref())?;

        let binaries = match &user {
            Some(user) if !is_reachable_by_all(binaries.directory()) => {
                &copy_into(&directory, binaries, user).inspect_err(|_| drop(fs::remove_dir_all(&directory)))?
            }
            _ => binaries,
        };

        let mut command = Command::new("sh");
        command.args(["-c", include_str!("watchdog.sh"), "watchdog"]).arg(&directory).arg(binaries.directory());
        command.arg("-c").arg(format!("port={port}"));
        for setting in SETTINGS.iter().chain(more) {
            command.args(["-c", setting]);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        command.env("HOME", &directory).env("LC_ALL", "C").current_dir(&directory);
        // Ctrl-C in a terminal goes to the whole group; the server has to live until its users have ended.
        command.process_group(0);
        if let Some(user) = &user {
            command.uid(user.id).gid(user.group);
        }
        let watchdog = command.spawn().map_err(|source| {
            let _ = fs::remove_dir_all(&directory);
            ClusterError::System { action: "start `sh`".to_owned(), source }
        })?;

        let cluster = Self { directory, port, watchdog };
        cluster.wait_until_ready()?;
        Ok(cluster)
    }

    /// Stops the server as a crash would: nothing is written that isn't, and nobody gets an answer.
    pub(crate) fn crash(&self) -> Result<(), ClusterError> {
        self.order("crash")?;
        self.wait_for_status(str::is_empty)
    }

    /// Starts it again after a crash.
    pub(crate) fn start_again(&self) -> Result<(), ClusterError> {
        self.order("start")?;
        self.wait_for_status(is_ready)
    }

    fn order(&self, order: &str) -> Result<(), ClusterError> {
        let mut input = self.watchdog.stdin.as_ref().expect("taken only when it is dropped");
        writeln!(input, "{order}").map_err(failed_to(format!("tell the watchdog to {order} the server")))
    }

    fn status(&self) -> String {
        fs::read_to_string(self.directory.join("data/postmaster.pid")).unwrap_or_default()
    }

    fn wait_for_status(&self, reached: impl Fn(&str) -> bool) -> Result<(), ClusterError> {
        let deadline = Instant::now() + START_LIMIT;
        while !reached(&self.status()) {
            if Instant::now() > deadline {
                return Err(ClusterError::NotReady { log: self.read_log() });
            }
            thread::sleep(POLL_INTERVAL);
        }
        Ok(())
    }

    fn wait_until_ready(&self) -> Result<(), ClusterError> {
        let deadline = Instant::now() + START_LIMIT;
        while Instant::now() < deadline {
            if let Ok(output) = fs::read_to_string(self.directory.join("initdb.failed")) {
                return Err(ClusterError::Failed { program: "initdb", output });
            }
            if is_ready(&self.status()) {
                return Ok(());
            }
            let log = self.read_log();
            if log.contains("FATAL:") || log.contains("PANIC:") {
                return Err(ClusterError::Failed { program: "postgres", output: log });
            }
            thread::sleep(POLL_INTERVAL);
        }
        Err(ClusterError::NotReady { log: self.read_log() })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.directory.join("server.log")
    }

    fn read_log(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

/// What the server keeps of itself in `postmaster.pid`.
fn is_ready(status: &str) -> bool {
    status.lines().nth(7).is_some_and(|line| line.trim() == "ready")
}

/// Whom the server runs as, where that is not the user of this process.
pub(crate) struct ServerUser {
    pub(crate) id: u32,
    pub(crate) group: u32,
}

impl ServerUser {
    pub(crate) fn choose() -> Result<Option<Self>, ClusterError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let passwd = fs::read_to_string("/etc/passwd").map_err(failed_to("read /etc/passwd"))?;
        ["postgres", "nobody"].into_iter().find_map(|name| Self::parse(&passwd, name)).map(Some).ok_or(ClusterError::NoOtherUser)
    }

    fn parse(passwd: &str, name: &str) -> Option<Self> {
        let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some(Self { id: fields.next()?.parse().ok()?, group: fields.next()?.parse().ok()? })
    }
}

pub(crate) fn new_directory(user: Option<&ServerUser>) -> Result<PathBuf, ClusterError> {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let started = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_micros();
    let name = format!("migrate-test-{}-{started:x}-{number}", std::process::id());
    let directory = std::env::temp_dir().join(name);
    let action = || format!("create `{}`", directory.display());
    DirBuilder::new().mode(0o700).create(&directory).map_err(failed_to(action()))?;
    if let Some(user) = user {
        chown(&directory, Some(user.id), Some(user.group)).map_err(failed_to(action()))?;
    }
    Ok(directory)
}

/// Root finds programs in places where the server's user may not go.
fn is_reachable_by_all(directory: &Path) -> bool {
    directory.ancestors().all(|ancestor| fs::metadata(ancestor).is_ok_and(|metadata| metadata.permissions().mode() & 0o001 != 0))
}

/// The whole installation, since a server finds its libraries beside its programs.
fn copy_into(directory: &Path, binaries: &ServerBinaries, user: &ServerUser) -> Result<ServerBinaries, ClusterError> {
    let installation = binaries.directory().parent().unwrap_or(binaries.directory());
    let copy = directory.join("installation");
    let action = || format!("copy `{}`", installation.display());
    // The watchdog, which is to remove it again, runs as that user, too.
    let script = "cp -R \"$1\" \"$2\" && chown -R \"$3\" \"$2\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, "copy"]).arg(installation).arg(&copy).arg(format!("{}:{}", user.id, user.group));
    let output = command.output().map_err(failed_to(action()))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(ClusterError::System { action: action(), source: io::Error::other(message) });
    }
    let program_directory = binaries.directory().file_name().unwrap_or_default();
    ServerBinaries::at(copy.join(program_directory))
        .map_err(|error| ClusterError::System { action: action(), source: io::Error::other(error) })
}

pub(crate) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn failed_to(action: impl Into<String>) -> impl FnOnce(io::Error) -> ClusterError {
    let action = action.into();
    move |source| ClusterError::System { action, source }
}
