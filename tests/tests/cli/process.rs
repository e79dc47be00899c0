//! Runs the command line with a chain of the test's own.

use migrate_tests::Database;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// Tables, a column on a table that may be absent, a fork and a merge.
pub const CHAIN: &str = "\
=== b354d12d1e7d m0001_baseline
create table documents (id bigint primary key, body text);
--- optional
create table events (id bigint primary key, title text);
=== 65e4b4ef883d m0002_titles after b354d12d1e7d
alter table documents add column title text not null default 'none';
alter table events add column starts date;
=== 774225e563ca m0003_pages after 65e4b4ef883d
create table pages (id bigint primary key, document_id bigint not null references documents (id));
=== d47310025be2 m0004_tags after 65e4b4ef883d
create table tags (id bigint primary key, label text);
=== aae3309a2a8b m0005_merge after 774225e563ca d47310025be2
";

/// The binary with a chain.
#[derive(Debug)]
pub struct Migrate {
    chain: PathBuf,
    url: Option<String>,
}

/// A directory of the test's own, gone afterwards.
#[derive(Debug)]
pub struct Directory(PathBuf);

impl Directory {
    pub fn new() -> Self {
        let path = unique("directory");
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn unique(what: &str) -> PathBuf {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let name = format!("{what}-{}-{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// The binary of the quickstart example, in `directory`.
pub fn quickstart(directory: &Directory, arguments: &[&str], url: Option<&str>) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_migrate-quickstart"));
    command.args(arguments).current_dir(directory.path()).env_remove("DATABASE_URL").stdin(Stdio::null());
    if let Some(url) = url {
        command.env("DATABASE_URL", url);
    }
    command.output().unwrap().into()
}

/// What a run of it gave.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Migrate {
    /// With a chain, and no database yet.
    pub fn new(chain: &str) -> Self {
        let path = unique("chain");
        std::fs::write(&path, chain).unwrap();
        Self { chain: path, url: None }
    }

    /// With a chain and a database, named by the environment.
    pub fn on(database: &Database, chain: &str) -> Self {
        Self::new(chain).at(database.url())
    }

    /// The same chain on another database.
    pub fn at(&self, url: &str) -> Self {
        let mut other = Self::new(&std::fs::read_to_string(&self.chain).unwrap());
        other.url = Some(url.to_owned());
        other
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_migrate-chain"));
        command.args(arguments).env("MIGRATE_TEST_CHAIN", &self.chain).env_remove("DATABASE_URL").env_remove("PGPASSWORD");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(url) = &self.url {
            command.env("DATABASE_URL", url);
        }
        command
    }

    pub fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.command(arguments).output().unwrap().into()
    }

    /// Runs it and asserts that it did what it was asked for.
    pub fn done(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{arguments:?}: {}", ran.stdout);
        ran.stdout
    }

    /// Runs it and gives the exit code and the document.
    pub fn json(&self, arguments: &[&str]) -> (i32, Value) {
        let ran = self.run(&[arguments, &["--format", "json"]].concat());
        let document = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {ran:?}"));
        (ran.code, document)
    }
}

impl Drop for Migrate {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.chain);
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// What the dump of an empty database has.
pub const EMPTY: &str = "schema public\ncomment on schema public: 'standard public schema'\n";

/// The text with what differs from run to run replaced: times, and the server's address.
pub fn steady(text: &str, database: &Database) -> String {
    let url = url::Url::parse(database.url()).unwrap();
    let target = format!("{} port {} database {} user", url.host_str().unwrap(), url.port().unwrap(), database.name());
    let text = text.replace(&target, "HOST port PORT database NAME user");
    let mut steady = String::new();
    let mut rest = text.as_str();
    while let Some(character) = rest.chars().next() {
        let shape: String = rest.chars().take(19).map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        let took = rest.strip_prefix(" in ").and_then(|tail| tail.split_once(" s\n")).filter(|(number, _)| number.parse::<f64>().is_ok());
        if shape == "0000-00-00 00:00:00" {
            steady.push_str("DAY-AND-TIME");
            rest = &rest[19..];
        } else if let Some((_, tail)) = took {
            steady.push_str(" in TIME s\n");
            rest = tail;
        } else {
            steady.push(character);
            rest = &rest[character.len_utf8()..];
        }
    }
    steady
}
