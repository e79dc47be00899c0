//! A real standby of a server, as far behind as it is told to be, which cannot outlive the process that started it.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::binaries::ServerBinaries;
use crate::cluster::{ServerUser, free_port, new_directory};
use crate::server::{Server, at};

/// A copy of what a stopped server has is what it would recover from itself.
const COPY: &str = "cp -R \"$1\" data && rm -f data/postmaster.pid data/postmaster.opts && : >data/standby.signal";

/// Ends with standard input, which the kernel closes however the process ends that holds its other end.
const WATCHDOG: &str = "\"$2/postgres\" -D data -c port=\"$3\" -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off \
    -c max_connections=200 -c primary_conninfo=\"$4\" -c recovery_min_apply_delay=\"$5ms\" >standby.log 2>&1 </dev/null & server=$!; \
    cat >/dev/null; kill -QUIT \"$server\"; wait \"$server\"; cd /; rm -rf -- \"$1\"";

/// A standby that applies what it gets so much later.
#[derive(Debug)]
pub struct Standby {
    watchdog: Child,
    address: SocketAddr,
    url: String,
}

impl Standby {
    /// Stops the server to copy it, and begins to follow it: `pg_stat_replication` has it once it does.
    ///
    /// # Panics
    /// Where the server isn't one that the tests have started, or there is no room: a test that needs a standby fails, it is
    /// never skipped.
    #[must_use]
    pub fn start(server: &Server, binaries: &ServerBinaries, delay_ms: u32) -> Self {
        Self::follow(server, binaries, server.url(), delay_ms)
    }

    /// The same, and it reaches the server by this URL.
    ///
    /// # Panics
    /// As [`start`](Self::start) does.
    #[must_use]
    pub fn follow(server: &Server, binaries: &ServerBinaries, url: &str, delay_ms: u32) -> Self {
        Self::try_start(server, binaries, url, delay_ms).unwrap_or_else(|error| panic!("cannot start a standby: {error}"))
    }

    /// Where it listens, as soon as it does.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The superuser's URL of the maintenance database.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    fn try_start(server: &Server, binaries: &ServerBinaries, url: &str, delay_ms: u32) -> io::Result<Self> {
        let original = server.directory().ok_or_else(|| io::Error::other("this is nobody's server to copy"))?.join("data");
        let user = ServerUser::choose().map_err(io::Error::other)?;
        let directory = new_directory(user.as_ref()).map_err(io::Error::other)?;
        server.crash().map_err(io::Error::other)?;
        let copied = shell(COPY, &directory, user.as_ref()).arg(original).output();
        server.start_again().map_err(io::Error::other)?;
        let copied = copied?;
        if !copied.status.success() {
            let _ = fs::remove_dir_all(&directory);
            return Err(io::Error::other(String::from_utf8_lossy(&copied.stderr).into_owned()));
        }
        let mut command = shell(WATCHDOG, &directory, user.as_ref());
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        command.arg(&directory).arg(binaries.directory()).arg(address.port().to_string()).arg(url).arg(delay_ms.to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // Ctrl-C in a terminal goes to the whole group; the standby has to live until its users have ended.
        command.process_group(0);
        Ok(Self { watchdog: command.spawn()?, address, url: at(server.url(), address) })
    }
}

fn shell(script: &str, directory: &Path, user: Option<&ServerUser>) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script, "standby"]).env("HOME", directory).env("LC_ALL", "C").current_dir(directory);
    if let Some(user) = user {
        command.uid(user.id).gid(user.group);
    }
    command
}

impl Drop for Standby {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        // what cannot be waited for has ended
        let _ = self.watchdog.wait();
    }
}
