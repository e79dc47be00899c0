//! A process that is killed on the way back.

use super::chain::{Draft, chain};
use super::crash::fragile;
use super::database::File;
use migrate_runtime::{DownTo, Error, Migrations, Options};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

/// In a child process: the file, when it is to die, and where it writes which statements it has run.
const URL: &str = "SQLITE_ENGINE_BACK_URL";
const MOMENT: &str = "SQLITE_ENGINE_BACK_MOMENT";
const STATEMENTS: &str = "SQLITE_ENGINE_BACK_STATEMENTS";

/// The way back of `c3` is several transactions, that of `b2` builds a table anew.
fn library() -> Migrations {
    chain(vec![
        Draft::new("a1", &[])
            .up("create table authors (id bigint primary key, name text, born integer, n integer not null default 0)")
            .up("create table books (id bigint primary key, author_id bigint not null references authors (id) on delete cascade)")
            .up("create table log (line text)"),
        Draft::new("b2", &["a1"])
            .up("alter table authors alter column born type text")
            .up("alter table books add column note text not null default 'none'")
            .up("alter table authors rename to writers"),
        Draft::new("c3", &["b2"])
            .up("alter table books add column pages integer")
            .up("backfill update writers set n = n + 1 in batches of 100")
            .up("create index books_pages_idx on books (pages)")
            .down(
                "insert into log values ('begun');
                 backfill update writers set n = n - 1 in batches of 100;
                 alter table books drop column pages;
                 vacuum;
                 insert into log values ('ended');",
            ),
    ])
}

/// Batches are as large everywhere: they double, which a target that is never reached lets them.
fn options() -> Options {
    Options { batch_target: Duration::from_mins(1), ..super::database::impatient() }
}

/// Ends the process at a statement that is done, or so long after it.
struct Fuse {
    left: AtomicUsize,
    later: Duration,
    writes: Option<std::path::PathBuf>,
}

fn die() {
    // nothing of a process that is killed so gets a chance to put anything in order
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
}

#[derive(Default)]
struct Summary(String);

impl Visit for Summary {
    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "summary" {
            value.clone_into(&mut self.0);
        }
    }
}

impl<S: tracing::Subscriber> Layer<S> for Fuse {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() != "sqlx::query" {
            return;
        }
        if let Some(path) = &self.writes {
            use std::io::Write as _;
            let mut summary = Summary::default();
            event.record(&mut summary);
            let mut file = std::fs::File::options().create(true).append(true).open(path).unwrap();
            writeln!(file, "{}", summary.0.replace('\n', " ")).unwrap();
        }
        if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            if self.later.is_zero() {
                die();
            }
            let later = self.later;
            std::thread::spawn(move || {
                std::thread::sleep(later);
                die();
            });
        }
    }
}

/// Not a test of its own: what a child process runs.
#[tokio::test]
async fn child() {
    let (Ok(url), Ok(moment)) = (std::env::var(URL), std::env::var(MOMENT)) else { return };
    let numbers: Vec<usize> = moment.split(' ').map(|number| number.parse().unwrap()).collect();
    let [statement, later, comparisons] = numbers[..] else { panic!("{moment}") };
    let left = AtomicUsize::new(if statement == 0 { usize::MAX } else { statement });
    let later = Duration::from_micros(later as u64);
    let writes = std::env::var_os(STATEMENTS).map(Into::into);
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Fuse { left, later, writes })).unwrap();
    let database = fragile(&url, Some(comparisons).filter(|&count| count > 0), None).with_options(options());
    database.down(library(), &DownTo::Revision("a1".to_owned())).await.unwrap();
}

/// When a process ends: after so many statements, so many microseconds later, or at that comparison of two names.
#[derive(Clone, Copy, Debug)]
struct Moment {
    statement: usize,
    later: usize,
    comparisons: usize,
}

/// Whether it was killed.
fn run_child(file: &File, moment: Moment, statements: Option<&std::path::Path>) -> bool {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "crash_back::child"]).env(URL, file.url());
    child.env(MOMENT, format!("{} {} {}", moment.statement, moment.later, moment.comparisons));
    if let Some(path) = statements {
        child.env(STATEMENTS, path);
    }
    let status = child.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(status.success() || status.signal() == Some(9), "{moment:?}: {status}");
    !status.success()
}

/// Everything that has to be the same as without a kill.
#[derive(Clone)]
struct State {
    schema: String,
    rows: String,
    journal: String,
}

impl State {
    fn assert_is(&self, expected: &Self, what: &str) {
        for (found, expected) in [(&self.schema, &expected.schema), (&self.rows, &expected.rows), (&self.journal, &expected.journal)] {
            let diff = similar::TextDiff::from_lines(expected, found);
            assert!(found == expected, "{what}:\n{}", diff.unified_diff().header("without a kill", "after it"));
        }
    }

    /// Without the journal, and without what `down!` writes: that is there once for each time that it came so far.
    fn without_times(&self) -> Self {
        let is_about_rows = |line: &&str| !line.is_empty() && !line.contains("'begun'") && !line.contains("'ended'");
        let rows = self.rows.lines().filter(is_about_rows).flat_map(|line| [line, "\n"]).collect();
        Self { rows, journal: String::new(), schema: self.schema.clone() }
    }
}

async fn state(file: &File) -> State {
    let mut rows = String::new();
    let tables = "select name as line from sqlite_schema where type = 'table' and name not like '\\_migrate%' escape '\\'
        and name not like 'sqlite\\_%' escape '\\' order by name";
    for table in file.text(tables).await.lines() {
        let columns =
            file.text(&format!("select 'quote(\"' || name || '\")' as line from pragma_table_info('{table}') order by name")).await;
        let columns = columns.lines().collect::<Vec<_>>().join(" || ' ' || ");
        rows = format!("{rows}{table}\n{}\n", file.text(&format!("select {columns} as line from {table} order by 1")).await);
    }
    let journal = "select revision || ' ' || direction || ' ' || number || ' ' || operation || ': ' || group_concat(outcome, ', ') as line
        from (select * from _migrate_operations where outcome not in ('started', 'failed') order by id)
        group by revision, direction, number, operation
        union all select revision || ' is ' || state from _migrate_revisions
        union all select 'left behind: ' || revision from _migrate_backfills order by 1";
    State { schema: file.schema().await, rows, journal: file.text(journal).await }
}

async fn migrate(file: &File, to: Option<&str>) -> Result<(), Error> {
    let database = fragile(&file.url(), None, None).with_options(options());
    match to {
        Some(revision) => database.down(library(), &DownTo::Revision(revision.to_owned())).await.map(drop),
        None => database.up(library(), None).await.map(drop),
    }
}

/// A file where everything is applied, with rows and an index in the order that a process can be ended by.
async fn filled(mode: &str) -> File {
    let file = File::new();
    file.execute(&format!("pragma journal_mode = {mode}")).await;
    fragile(&file.url(), None, None).up(library(), Some("a1")).await.unwrap();
    let mut connection = super::crash::connect(&file).await;
    let sql = "create index authors_name on authors (name collate fragile);
         with recursive n (i) as (select 1 union all select i + 1 from n where i < 500)
            insert into authors (id, name, born) select i, hex(randomblob(200)), i from n;
         insert into books select id * 10, id from authors";
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();
    migrate(&file, None).await.unwrap();
    file
}

fn copy(file: &File) -> File {
    let copy = File::new();
    std::fs::copy(file.path(), copy.path()).unwrap();
    copy
}

/// What was killed at this moment is brought to its end, or taken up again, and then brought there.
async fn is_healed(file: &File, moment: Moment, up_first: bool, back: &State, again: &State) -> bool {
    let sound = async |what: &str| {
        let mut connection = super::crash::connect(file).await;
        let integrity: String = sqlx::query_scalar("pragma integrity_check").fetch_one(&mut connection).await.unwrap();
        sqlx::Connection::close(connection).await.unwrap();
        assert_eq!(integrity, "ok", "{moment:?}, {what}");
        assert_eq!(file.text("select count(*) as line from pragma_foreign_key_check").await, "0", "{moment:?}, {what}");
    };
    sound("killed").await;
    let mut refused = false;
    if up_first {
        match migrate(file, None).await {
            Ok(()) => {
                let up = state(file).await;
                up.without_times().assert_is(&again.without_times(), &format!("{moment:?}, up at once"));
                // in each of its lives every operation was done once
                let lives = "select count(distinct n) as line from (select count(*) as n from _migrate_operations
                    where outcome in ('applied', 'reverted') and revision <> 'a1' group by revision, direction, number)";
                assert!(["1", "2"].contains(&file.text(lives).await.as_str()), "{moment:?}: {}", up.journal);
                return false;
            }
            Err(Error::History { problem, .. }) if problem.contains("half reversed") => refused = true,
            Err(error) => panic!("{moment:?}: {error}"),
        }
    }
    migrate(file, Some("a1")).await.unwrap_or_else(|error| panic!("{moment:?}: {error}"));
    state(file).await.assert_is(back, &format!("{moment:?}, back"));
    migrate(file, None).await.unwrap_or_else(|error| panic!("{moment:?}: {error}"));
    state(file).await.assert_is(again, &format!("{moment:?}, up again"));
    sound("healed").await;
    refused
}

async fn is_killed_and_healed(mode: &str) {
    let original = filled(mode).await;
    let applied = state(&original).await;
    // what comes of it where nobody is killed, and by which statements
    let quiet = copy(&original);
    let statements = quiet.folder().join("statements");
    assert!(!run_child(&quiet, Moment { statement: 0, later: 0, comparisons: 0 }, Some(&statements)));
    let statements = std::fs::read_to_string(statements).unwrap();
    let statements: Vec<&str> = statements.lines().collect();
    // the driver commits, and doesn't say so; what comes next is always the same
    let follows = |pair: &[&str]| !pair[0].starts_with("pragma") && pair[1].starts_with("pragma foreign_keys =");
    let commits: Vec<usize> = (1..).zip(statements.windows(2)).filter(|(_, pair)| follows(pair)).map(|(before, _)| before).collect();
    assert!(statements.len() > 40 && commits.len() >= 4, "{statements:#?}");
    let back = state(&quiet).await;
    migrate(&quiet, None).await.unwrap();
    let again = state(&quiet).await;
    again.without_times().assert_is(&applied.without_times(), "back and up again");

    let at = |statement: usize, later: usize| Moment { statement, later, comparisons: 0 };
    let mut moments: Vec<Moment> =
        (1..=statements.len()).step_by(statements.len().div_ceil(10)).map(|statement| at(statement, 0)).collect();
    // before a commit, ever later in it, and after it
    for (i, before) in commits.iter().enumerate() {
        moments.extend([at(*before, 60 * i), at(before + 1, 0)]);
    }
    moments.extend([5, 1500, 3500].map(|comparisons| Moment { statement: 0, later: 0, comparisons }));
    let (mut kills, mut refusals) = (0, 0);
    for (i, moment) in moments.iter().enumerate() {
        let file = copy(&original);
        if run_child(&file, *moment, None) {
            kills += 1;
            refusals += usize::from(is_healed(&file, *moment, i % 2 == 0, &back, &again).await);
        }
    }
    assert!(kills * 10 >= moments.len() * 9, "{kills} of {} were killed", moments.len());
    assert!(refusals > 0, "no way back was left half done");
}

#[tokio::test]
async fn a_kill_on_the_way_back_loses_nothing_with_a_rollback_journal() {
    is_killed_and_healed("delete").await;
}

#[tokio::test]
async fn a_kill_on_the_way_back_loses_nothing_with_a_wal() {
    is_killed_and_healed("wal").await;
}
