//! A real PgBouncer in transaction mode in front of a server, which cannot outlive the process that started it.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use url::Url;

use crate::cluster::{ServerUser, free_port, new_directory};
use crate::server::{Server, at};

const START_LIMIT: Duration = Duration::from_secs(30);

/// Ends with standard input, which the kernel closes however the process ends that holds its other end.
const WATCHDOG: &str = "pgbouncer -q \"$1/pgbouncer.ini\" >\"$1/pgbouncer.log\" 2>&1 </dev/null & bouncer=$!; \
                        cat >/dev/null; kill \"$bouncer\"; wait \"$bouncer\"; cd /; rm -rf -- \"$1\"";

/// A pooler: a transaction has a connection of the server's for itself, and a session has none.
#[derive(Debug)]
pub struct PgBouncer {
    address: SocketAddr,
    watchdog: Child,
}

impl PgBouncer {
    /// In front of a server, as the user of its URL, with so many connections to each database.
    ///
    /// # Panics
    /// Where there is no PgBouncer, or it doesn't start: a test that needs one fails, it is never skipped.
    #[must_use]
    pub fn start(server: &Server, connections: usize) -> Self {
        Self::try_start(server, connections).unwrap_or_else(|error| {
            panic!("cannot start `pgbouncer`: {error}\nhelp: install it (Debian and Ubuntu: `apt-get install pgbouncer`)")
        })
    }

    fn try_start(server: &Server, connections: usize) -> io::Result<Self> {
        let port = free_port()?;
        let user = ServerUser::choose().map_err(io::Error::other)?;
        let directory = new_directory(user.as_ref()).map_err(io::Error::other)?;
        fs::write(directory.join("pgbouncer.ini"), settings(server, port, connections)?)?;
        let mut command = Command::new("sh");
        command.args(["-c", WATCHDOG, "pgbouncer"]).arg(&directory).current_dir(&directory);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // Debian has it where a user who isn't root doesn't look
        command.env("PATH", format!("{}:/usr/sbin:/usr/local/sbin", std::env::var("PATH").unwrap_or_default()));
        // Ctrl-C in a terminal goes to the whole group; the pooler has to live until its users have ended.
        command.process_group(0);
        if let Some(user) = &user {
            command.uid(user.id).gid(user.group);
        }
        let bouncer = Self { address: (Ipv4Addr::LOCALHOST, port).into(), watchdog: command.spawn()? };
        bouncer.wait_until_ready(&directory.join("pgbouncer.log"))?;
        Ok(bouncer)
    }

    fn wait_until_ready(&self, log: &PathBuf) -> io::Result<()> {
        let deadline = Instant::now() + START_LIMIT;
        while TcpStream::connect(self.address).is_err() {
            let said = fs::read_to_string(log).unwrap_or_default();
            if said.contains("not found") || said.contains("FATAL") || Instant::now() > deadline {
                return Err(io::Error::other(said));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// The same URL through the pooler.
    ///
    /// # Panics
    /// Where it is not a server's URL.
    #[must_use]
    pub fn url(&self, url: &str) -> String {
        at(url, self.address)
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        // what cannot be waited for has ended
        let _ = self.watchdog.wait();
    }
}

fn settings(server: &Server, port: u16, connections: usize) -> io::Result<String> {
    let url = Url::parse(server.url()).map_err(io::Error::other)?;
    let (host, server_port) = server.address();
    let password = url.password().map(|password| format!(" password='{password}'")).unwrap_or_default();
    Ok(format!(
        "[databases]\n* = host={host} port={server_port} user={}{password}\n\
         [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\n\
         default_pool_size = {connections}\nmax_client_conn = 500\nignore_startup_parameters = extra_float_digits\n",
        url.username()
    ))
}
