//! The tools: where they are, how they are called, and what they have recorded.

use crate::files;
use crate::migrations::Chain;
use migrate_tests::Database;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// How long a run may take.
pub const LIMIT: Duration = Duration::from_secs(40);

/// One of those that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// This project.
    Migrate,
    /// sqlx-cli.
    Sqlx,
    /// refinery's command line.
    Refinery,
    /// diesel's command line.
    Diesel,
    /// sea-orm-migration, with a runner of ours.
    SeaOrm,
    /// Alembic, with psycopg 3.
    Alembic,
}

/// A chain, written for a tool, in a folder that goes with this value.
#[derive(Debug)]
pub struct Project {
    /// For whom.
    pub tool: Tool,
    folder: PathBuf,
}

/// What a run gave.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Whether the exit code was 0.
    pub ok: bool,
    /// Whether it didn't end within [`LIMIT`] and was killed.
    pub hung: bool,
    /// All that it wrote.
    pub output: String,
    /// How long it took.
    pub took: Duration,
}

fn peers() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers");
    std::env::var_os("MIGRATE_PEERS").map_or_else(beside, PathBuf::from)
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Migrate => "migrate",
            Self::Sqlx => "sqlx-cli",
            Self::Refinery => "refinery",
            Self::Diesel => "diesel_cli",
            Self::SeaOrm => "sea-orm-migration",
            Self::Alembic => "Alembic",
        })
    }
}

impl Tool {
    /// All of them, this project first.
    pub const ALL: [Self; 6] = [Self::Migrate, Self::Sqlx, Self::Refinery, Self::Diesel, Self::SeaOrm, Self::Alembic];

    fn program(self) -> PathBuf {
        match self {
            Self::Migrate => std::env::current_exe().unwrap(),
            Self::Sqlx => peers().join("bin/sqlx"),
            Self::Refinery => peers().join("bin/refinery"),
            Self::Diesel => peers().join("bin/diesel"),
            Self::SeaOrm => peers().join("bin/sea-orm"),
            Self::Alembic => peers().join("venv/bin/alembic"),
        }
    }

    /// Those that are installed.
    #[must_use]
    pub fn installed() -> Vec<Self> {
        Self::ALL.into_iter().filter(|tool| tool.program().exists()).collect()
    }

    /// Its version; that of this project is the commit's business.
    pub async fn version(self) -> String {
        if self == Self::Migrate {
            return env!("CARGO_PKG_VERSION").to_owned();
        }
        let mut command = Command::new(self.program());
        if self != Self::SeaOrm {
            command.arg("--version");
        }
        let output = command.output().await.unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit())).unwrap_or("?").to_owned()
    }

    /// Whether it wants branches to be merged by a migration that says so.
    #[must_use]
    pub fn wants_merges(self) -> bool {
        matches!(self, Self::Migrate | Self::Alembic)
    }

    /// Whether it has a way for statements that can't be in a transaction.
    #[must_use]
    pub fn can_leave_transactions(self) -> bool {
        self != Self::Refinery
    }

    /// Whether it cuts a migration itself where a statement can't be in a transaction.
    #[must_use]
    pub fn cuts_by_itself(self) -> bool {
        self == Self::Migrate
    }

    /// Writes the chain in a folder of its own.
    #[must_use]
    pub fn write(self, chain: &Chain) -> Project {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("migrate-comparison-{}-{number}", std::process::id()));
        let project = Project { tool: self, folder };
        project.rewrite(chain);
        project
    }
}

impl Project {
    /// Writes another chain in its place.
    pub fn rewrite(&self, chain: &Chain) {
        let _ = fs::remove_dir_all(&self.folder);
        fs::create_dir_all(&self.folder).unwrap();
        let write = match self.tool {
            Tool::Migrate => files::migrate,
            Tool::Sqlx => files::sqlx,
            Tool::Refinery => files::refinery,
            Tool::Diesel => files::diesel,
            Tool::SeaOrm => files::sea_orm,
            Tool::Alembic => files::alembic,
        };
        write(chain, &self.folder);
    }

    /// Lays the files out anew, and changes nothing that they say.
    pub fn reformat(&self) {
        let mut open = vec![self.folder.clone()];
        while let Some(path) = open.pop() {
            if path.is_dir() {
                open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("sql") => fs::write(&path, format!("-- a comment\n{text}").replace('\n', "\r\n")).unwrap(),
                Some("txt") => fs::write(&path, text.replacen("\ncreate", "\n-- a comment\ncreate", 1).replace(";\n", ";\r\n")).unwrap(),
                Some("py") => fs::write(&path, format!("# a comment\n{text}").replace('\n', "\r\n")).unwrap(),
                _ => {}
            }
        }
    }

    fn command(&self, up: bool, url: &str) -> Command {
        let mut command = Command::new(self.tool.program());
        let separator = if url.contains('?') { "&" } else { "?" };
        let url = &format!("{url}{separator}sslmode=disable");
        let folder = &self.folder;
        command.current_dir(folder).env("DATABASE_URL", url).env("NO_COLOR", "1").env("RUST_BACKTRACE", "0").kill_on_drop(true);
        match self.tool {
            Tool::Migrate => {
                command.env("MIGRATE_TEST_CHAIN", folder.join("chain.txt"));
                command.args(if up { &["up"][..] } else { &["down", "--steps", "1"] })
            }
            Tool::Sqlx => command.args(["migrate", if up { "run" } else { "revert" }, "--no-dotenv", "--source", "."]),
            Tool::Refinery => command.args(["migrate", "-e", "DATABASE_URL", "-p", "."]),
            Tool::Diesel => {
                command.args(["migration", if up { "run" } else { "revert" }, "--migration-dir", ".", "--config-file", "diesel.toml"])
            }
            Tool::SeaOrm => command.args([if up { "up" } else { "down" }, "chain.json"]),
            Tool::Alembic => {
                command.env("DATABASE_URL", url.replacen("postgres://", "postgresql+psycopg://", 1));
                command.args(if up { &["upgrade", "head"] } else { &["downgrade", "-1"] })
            }
        };
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Begins to apply what is pending.
    #[must_use]
    pub fn start(&self, url: &str) -> Child {
        self.command(true, url).spawn().unwrap()
    }

    /// Applies what is pending.
    pub async fn up(&self, url: &str) -> Ran {
        finish(self.start(url)).await
    }

    /// Reverses the last migration.
    pub async fn down(&self, url: &str) -> Ran {
        finish(self.command(false, url).spawn().unwrap()).await
    }

    /// How many migrations it has recorded as done: of the chain, not of the files that it was split into.
    pub async fn recorded(&self, database: &Database, chain: &Chain) -> usize {
        let numbers = match self.tool {
            Tool::Migrate => "select substr(revision, 2)::int from _migrate.revisions where state in ('applied', 'stamped')",
            Tool::Sqlx => "select (version / 10)::int from _sqlx_migrations where success",
            Tool::Refinery => "select version / 10 from refinery_schema_history",
            Tool::Diesel => "select version::int / 10 from __diesel_schema_migrations",
            Tool::SeaOrm => "select substr(version, 2)::int / 10 from seaql_migrations",
            Tool::Alembic => {
                "select number / 10 from generate_series(10, (select max(substr(version_num, 2)::int) from alembic_version)) as number"
            }
        };
        let mut recorded = 0;
        for migration in &chain.migrations {
            let files = if self.tool.cuts_by_itself() { 1 } else { migration.parts().count() };
            let sql = format!("select (count(*) >= {files})::text from ({numbers}) as t (number) where number = {}", migration.number);
            // a history that isn't there has nothing in it
            recorded += usize::from(database.text(&sql).await.is_ok_and(|enough| enough == "true"));
        }
        recorded
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Waits for the end of a run.
pub async fn finish(child: Child) -> Ran {
    let began = Instant::now();
    match tokio::time::timeout(LIMIT, child.wait_with_output()).await {
        Ok(output) => {
            let output = output.unwrap();
            let text = [output.stderr, output.stdout].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
            Ran { ok: output.status.success(), hung: false, output: text, took: began.elapsed() }
        }
        Err(_) => Ran { ok: false, hung: true, output: String::new(), took: began.elapsed() },
    }
}
