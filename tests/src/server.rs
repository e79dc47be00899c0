//! The PostgreSQL server that the tests run against.

use std::env;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use url::Url;

use crate::binaries::{BinariesError, ServerBinaries};
use crate::cluster::{Cluster, ClusterError};
use crate::versions::VersionError;

/// A superuser's URL of a server that is running already; then no other one is started.
pub const URL_VARIABLE: &str = "MIGRATE_TEST_PG_URL";
/// The log file of the server that [`URL_VARIABLE`] names, written with [`LOG_LINE_PREFIX`].
pub const LOG_VARIABLE: &str = "MIGRATE_TEST_PG_LOG";
/// What `log_line_prefix` has to have in it for the log to be read by database and SQLSTATE.
pub const LOG_LINE_PREFIX: &str = "database=%d sqlstate=%e ";

/// A running server: one of our own, stopped and removed when this is dropped, or one that was there before.
#[derive(Debug)]
pub struct Server {
    url: Url,
    log: Option<PathBuf>,
    cluster: Option<Cluster>,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No programs to start one with.
    #[error(transparent)]
    Binaries(#[from] BinariesError),
    /// No programs of a version that was asked for.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// The programs did not start one.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The URL that names a running one cannot be read.
    #[error("`{URL_VARIABLE}` is not a URL: {source}\nhelp: write it as `postgres://user:password@host:port/database`")]
    Url {
        /// The cause.
        #[from]
        source: url::ParseError,
    },
}

impl Server {
    /// The server that `MIGRATE_TEST_PG_URL` names, else a new one of the programs that are found.
    ///
    /// # Errors
    /// Where there is neither; the message says what to install or to set.
    pub fn start() -> Result<Self, StartError> {
        match env::var(URL_VARIABLE) {
            Ok(url) => Ok(Self { url: Url::parse(&url)?, log: env::var_os(LOG_VARIABLE).map(PathBuf::from), cluster: None }),
            Err(_) => Self::start_from(&ServerBinaries::find()?),
        }
    }

    /// A new cluster, initialised and started with these programs.
    ///
    /// # Errors
    /// Where `initdb` or `postgres` fails; the message has what they wrote.
    pub fn start_from(binaries: &ServerBinaries) -> Result<Self, StartError> {
        Self::of(Cluster::start(binaries)?)
    }

    /// A new cluster that writes to its disk as one in production does.
    ///
    /// # Errors
    /// Where `initdb` or `postgres` fails; the message has what they wrote.
    pub fn start_durable() -> Result<Self, StartError> {
        Self::of(Cluster::start_durable(&ServerBinaries::find()?)?)
    }

    fn of(cluster: Cluster) -> Result<Self, StartError> {
        let url = Url::parse(&format!("postgres://postgres@127.0.0.1:{}/postgres", cluster.port()))?;
        Ok(Self { url, log: Some(cluster.log()), cluster: Some(cluster) })
    }

    /// The superuser's URL of the maintenance database.
    #[must_use]
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// Host and port.
    #[must_use]
    pub fn address(&self) -> (&str, u16) {
        (self.url.host_str().unwrap_or("localhost"), self.url.port().unwrap_or(5432))
    }

    /// The superuser's URL of another database of this server.
    #[must_use]
    pub fn database_url(&self, database: &str) -> String {
        let mut url = self.url.clone();
        url.set_path(database);
        url.into()
    }

    /// The server's log, where this process knows it.
    #[must_use]
    pub fn log(&self) -> Option<&Path> {
        self.log.as_deref()
    }

    /// Stops the server as `pg_ctl stop -m immediate` does: no session ends properly, and the next start is a recovery.
    ///
    /// # Errors
    /// Where it doesn't stop.
    ///
    /// # Panics
    /// Where it is not a cluster of our own.
    pub fn crash(&self) -> Result<(), ClusterError> {
        self.own_cluster().crash()
    }

    /// Starts it again after a crash, and waits until it is ready.
    ///
    /// # Errors
    /// Where it doesn't start; the message has its log.
    ///
    /// # Panics
    /// Where it is not a cluster of our own.
    pub fn start_again(&self) -> Result<(), ClusterError> {
        self.own_cluster().start_again()
    }

    fn own_cluster(&self) -> &Cluster {
        self.cluster.as_ref().expect("a server that others use is not stopped")
    }

    /// The directory that goes away with the server, where it is one of our own.
    #[must_use]
    pub fn directory(&self) -> Option<&Path> {
        self.cluster.as_ref().map(Cluster::directory)
    }
}

/// The same URL with another address.
///
/// # Panics
/// Where it is not a server's URL.
pub(crate) fn at(url: &str, address: SocketAddr) -> String {
    let mut url = Url::parse(url).unwrap_or_else(|error| panic!("not a URL: {error}"));
    url.set_ip_host(address.ip()).expect("a URL with a host");
    url.set_port(Some(address.port())).expect("a URL with a host");
    url.into()
}

/// The server that all tests of this process share, started at the first call and gone when the process is.
///
/// # Panics
/// Where there is no server to be had: a test that needs one fails, it is never skipped.
#[must_use]
pub fn server() -> &'static Server {
    static SERVER: OnceLock<Result<Server, StartError>> = OnceLock::new();
    match SERVER.get_or_init(Server::start) {
        Ok(server) => server,
        Err(error) => panic!("this test needs a PostgreSQL server: {error}"),
    }
}
