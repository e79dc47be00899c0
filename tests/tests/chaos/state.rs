//! What a database has come to, and what has to be true of it whatever happened on the way.

use crate::subject::{BASE, Subject};
use crate::way::Way;
use migrate_core::schema::Schema;
use migrate_core::step::{Action, Step};
use migrate_runtime::postgres::catalog;
use migrate_tests::{Database, comparison};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};
use std::time::{Duration, Instant};

/// How long a session may take to notice that nobody is there any more.
const PATIENCE: Duration = Duration::from_secs(20);

/// Everything that is to be the same as without a fault.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The schema, as the server has it.
    pub dump: String,
    /// What is otherwise in the catalog than in the model.
    pub differences: Vec<String>,
    /// Indexes that no query uses.
    invalid_indexes: Vec<String>,
    /// Tables, each with the number of its rows and what is in them.
    rows: Vec<String>,
    /// What became of the operations, each time that they were done or reversed.
    journal: Vec<String>,
}

const INVALID_INDEXES: &str =
    "select indexrelid::regclass::text from pg_index where not (indisvalid and indisready and indislive) order by 1";

/// A query for each table. What a default made from the time or by chance is left out.
const ROWS: &str = "select format(
        'select %L || '' has '' || count(*) || '' rows '' || coalesce(md5(string_agg(line, '';'' order by line)), '''') \
         from (select concat_ws(''|'', ''''%s) as line from only %s) as rows',
        c.oid::regclass, (select string_agg(format(', %I', a.attname), '' order by a.attnum) from pg_attribute as a
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            and a.atttypid in ('bool'::regtype, 'int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype, 'text'::regtype)),
        c.oid::regclass)
    from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
    where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', '_migrate') order by c.oid::regclass::text";

const SESSIONS: &str = "select format('a session is left (%s, %s): %s', application_name, state, query) from pg_stat_activity \
     where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'";

const LEFTOVERS: &str = "select 'left behind: ' || oid::regclass from pg_class where relpersistence = 't' and relkind = 'r'
    union all select 'left behind: ' || oid::regclass from pg_class where relname ~ '(_ccnew|_ccold)[0-9]*$'
    union all select 'left behind: transaction ' || gid from pg_prepared_xacts where database = current_database()
    union all select 'left behind: how far the batches of ' || revision || ' have come' from _migrate.backfills
    union all select format('left behind: a lock of the class %s', locktype) from pg_locks
        where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())";

/// What was done, reversed and skipped.
const ACCOUNT: &str = "select concat_ws(' ', revision, direction, number, operation) || ': ' || string_agg(outcome, ', ' order by id) \
     from _migrate.operations where outcome not in ('started', 'failed') group by revision, direction, number, operation \
     order by revision, direction, number, operation";

/// The last word on every operation; what began outside of a transaction and failed has another one after that.
const JOURNAL: &str = "select revision || ' ' || number || ' ' || string_agg(outcome, ', ' order by id) from _migrate.operations \
     where outcome not in ('started', 'failed') group by revision, number order by revision, number";

const UNFINISHED: &str = "select format('the last word on %s %s is %s', revision, number, outcome) from \
     (select distinct on (revision, number) * from _migrate.operations order by revision, number, id desc) as latest \
     where outcome in ('started', 'failed')";

const REVISIONS: &str = "select revision || ' is ' || state from _migrate.revisions order by position";

/// The first column of all rows, which has to be text.
pub async fn texts(connection: &mut PgConnection, sql: &str) -> Vec<String> {
    let rows = connection.fetch_all(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await;
    rows.unwrap_or_else(|error| panic!("`{sql}`: {error}")).iter().map(|row| row.get(0)).collect()
}

impl State {
    /// What a database has now.
    pub async fn of(database: &Database, model: &Schema) -> Self {
        let dump = database.dump().await;
        let mut connection = database.connect().await;
        let live = catalog::snapshot(&mut connection).await.unwrap();
        let differences = comparison::compare(model, &live, &mut connection).await.unwrap().differences;
        let invalid_indexes = texts(&mut connection, INVALID_INDEXES).await;
        let mut rows = Vec::new();
        for query in texts(&mut connection, ROWS).await {
            rows.extend(texts(&mut connection, &query).await);
        }
        let journal = texts(&mut connection, ACCOUNT).await;
        connection.close().await.unwrap();
        Self { dump, differences, invalid_indexes, rows, journal }
    }

    /// What is otherwise than in the one that no fault has met.
    pub fn compare(&self, expected: &Self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.dump != expected.dump {
            let diff = similar::TextDiff::from_lines(&expected.dump, &self.dump);
            problems.push(diff.unified_diff().header("without a fault", "with it").to_string());
        }
        let lists = [
            ("the catalog is not the model", &self.differences, &expected.differences),
            ("indexes are invalid", &self.invalid_indexes, &expected.invalid_indexes),
            ("rows differ", &self.rows, &expected.rows),
            ("the journal tells something else", &self.journal, &expected.journal),
        ];
        problems.extend(
            lists
                .iter()
                .filter(|(_, found, expected)| found != expected)
                .map(|(what, found, expected)| format!("{what}: {found:#?}, without a fault {expected:#?}")),
        );
        problems
    }
}

/// What the journal fails to account for, and what is still there of us.
pub async fn unaccounted(database: &Database, subject: &Subject, way: Way) -> Vec<String> {
    let mut connection = database.connect().await;
    let began = Instant::now();
    let mut problems = texts(&mut connection, SESSIONS).await;
    while !problems.is_empty() && began.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(5)).await;
        problems = texts(&mut connection, SESSIONS).await;
    }
    problems.extend(texts(&mut connection, LEFTOVERS).await);
    problems.extend(texts(&mut connection, UNFINISHED).await);
    let revisions = texts(&mut connection, REVISIONS).await;
    let recorded = subject.chain.migrations.iter().filter(|migration| !way.is_down() || migration.revision == BASE);
    let expected: Vec<String> = recorded.map(|migration| format!("{} is applied", migration.revision)).collect();
    if revisions != expected {
        problems.push(format!("revisions: {revisions:?}"));
    }
    if (way, subject.way) != (Way::Up, Way::Up) {
        // the account of a fault is compared with that of none
        connection.close().await.unwrap();
        return problems;
    }
    let journal = texts(&mut connection, JOURNAL).await;
    let mut rows = journal.iter();
    for migration in subject.chain.migrations {
        let steps: Vec<Step> = serde_json::from_str(migration.up).unwrap();
        let steps = (1..).zip(steps).filter(|(_, step)| !matches!(step.action, Action::Declare { .. }));
        for (number, _) in steps {
            let words = ["applied", "satisfied", "skipped"].map(|outcome| format!("{} {number} {outcome}", migration.revision));
            match rows.next() {
                Some(row) if words.contains(row) => {}
                row => problems.push(format!("the journal has {row:?} for operation {number} of {}", migration.revision)),
            }
        }
    }
    problems.extend(rows.map(|row| format!("the journal has {row}, which is no operation's")));
    connection.close().await.unwrap();
    problems
}
