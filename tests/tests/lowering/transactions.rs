//! A migration's transaction ends before a large table is worked on, where it would hold strong locks meanwhile, and after
//! that, where it would have to wait for some.

use super::blocking::run;
use super::{migrator, options};
use migrate_core::step::Step;
use migrate_runtime::{Database as Migrator, DownTo, Migration, Migrations, Options, Plan};
use migrate_tests::chain::chain;
use migrate_tests::proxy::{Cut, Proxy};
use migrate_tests::{Database, server, servers};
use std::time::Duration;

/// Whoever comes to a row of `big` stays there for as long as somebody holds the gate. To wait for a lock would be given up.
const SLOW: &str = "create function slow(n int) returns int immutable language plpgsql as
    'begin while not pg_try_advisory_xact_lock_shared(42) loop perform pg_sleep(0.01); end loop; return n; end';
    create function slow_row() returns trigger language plpgsql as 'begin perform slow(1); return coalesce(new, old); end';
    create trigger slow before update or delete on big for each row execute function slow_row();
    insert into big select n, n from generate_series(1, 60) n;
    insert into other select n, n from generate_series(1, 60) n;
    insert into small values (1, 1)";

fn of(statements: &str) -> Migrations {
    chain(&format!(
        "=== aaa111 m1\ncreate table small (id int primary key, a int default 0);\ncreate table big (id int primary key, a int);\n\
         create table other (id int primary key, a int);\n=== bbb222 m2 after aaa111\n{statements};\n"
    ))
}

async fn filled(server: &migrate_tests::Server, chain: Migrations, sql: &str) -> Database {
    let database = Database::create(server).await;
    Migrator::new(database.url()).unwrap().up(chain, Some("m1")).await.unwrap();
    database.execute(sql).await.unwrap();
    database
}

/// The transactions of the last migration, and why each begins where it does.
fn transactions(plan: &Plan) -> Vec<(usize, &str)> {
    plan.revisions
        .last()
        .unwrap()
        .operations
        .iter()
        .map(|it| (it.transaction.unwrap_or_else(|| panic!("{it:?}")), it.evidence.as_str()))
        .collect()
}

fn numbers(plan: &Plan) -> Vec<usize> {
    transactions(plan).into_iter().map(|(number, _)| number).collect()
}

const SLOW_STEPS: &[(&str, &str)] = &[
    ("update", "update big set a = id + 1"),
    ("update", "update big set a = other.a from other"),
    ("delete", "delete from big where a > 10"),
    ("insert", "insert into other select id + 100, slow(a) from big where slow(id) > 0"),
    ("create index", "create index big_slow on big (slow(a))"),
    ("alter table", "alter table big add column b int default slow(random()::int)"),
    ("create materialized", "create materialized view sums as select slow(a) as a from big"),
];

#[tokio::test]
async fn no_strong_lock_is_held_on_another_table_while_a_large_one_is_worked_on() {
    for server in servers() {
        for (words, slow) in SLOW_STEPS {
            let chain = of(&format!("alter table small add column note text;\n{slow}"));
            let database = filled(server, chain, SLOW).await;
            let (migrator, _) = migrator(database.url(), 0);
            assert_eq!(numbers(&migrator.plan(chain, None).await.unwrap()), [1, 2], "{slow}");
            let (mut gate, mut application) = (database.connect().await, database.connect().await);
            run(&mut gate, "select pg_advisory_lock(42)").await;
            let up = tokio::spawn(async move { migrator.up(chain, None).await });
            let works = format!(
                "select count(*)::text from pg_stat_activity where datname = current_database() and state = 'active' \
                 and query like '%{words}%' and wait_event = 'PgSleep'"
            );
            while database.text(&works).await.unwrap() == "0" {
                assert!(!up.is_finished(), "{slow} goes over nothing");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let held = "select count(*)::text from pg_locks where relation = 'small'::regclass and granted and mode <> 'AccessShareLock'";
            assert_eq!(database.text(held).await.unwrap(), "0", "{slow}");
            run(&mut application, "set lock_timeout = '100ms'; insert into small (id, note) values (2, 'new')").await;
            run(&mut gate, "select pg_advisory_unlock(42)").await;
            up.await.unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn a_plan_shows_where_a_transaction_ends_and_why() {
    let chain = of("alter table small add column note text;\ncreate index big_a on big (a);\nalter table other add column b int");
    let database = filled(server(), chain, "insert into big select n, n from generate_series(1, 30000) n; analyze big").await;
    let plan = migrator(database.url(), 1 << 20).0.plan(chain, None).await.unwrap();
    assert_eq!(
        transactions(&plan),
        [
            (1, ""),
            (2, "begins a transaction, so that AccessExclusiveLock on `small` isn't held meanwhile: `big` has 1 MiB, and 1 MiB is large"),
            (
                3,
                "begins a transaction, so that what was done with `big` doesn't wait for AccessExclusiveLock on `other`: \
                 `big` has 1 MiB, and 1 MiB is large"
            ),
        ]
    );
    // nothing is large: one transaction
    let plan = Migrator::new(database.url()).unwrap().plan(chain, None).await.unwrap();
    assert_eq!(transactions(&plan), [(1, ""), (1, ""), (1, "")]);
    Migrator::new(database.url()).unwrap().up(chain, None).await.unwrap();
    let xids = "select count(distinct xmin::text)::text from _migrate.operations where revision = 'bbb222'";
    assert_eq!(database.text(xids).await.unwrap(), "1");
}

#[tokio::test]
async fn a_transaction_ends_only_where_something_is_gained_and_nothing_is_lost() {
    let mut otherwise = Vec::new();
    for (statements, expected) in [
        // the lock on the table itself, too: the update blocks no reader
        ("alter table big add column b int;\nupdate big set b = 1", vec![1, 2]),
        ("create index on big (a);\nupdate big set a = 1", vec![1, 2]),
        // what is no stronger than its own
        ("alter table big add column b int;\nalter table big add column c int generated always as identity", vec![1, 1]),
        ("create index on big (a);\ncreate index on big (id, a)", vec![1, 1]),
        // rows that are named, or few
        ("alter table small add column b int;\nupdate big set a = 1 where id = 5", vec![1, 1]),
        ("alter table small add column b int;\ninsert into big values (1000, 1)", vec![1, 1]),
        ("alter table small add column b int;\nselect count(*) from big", vec![1, 1]),
        // what is new is nobody's
        ("create table made (id int);\nalter table made add column b int;\nupdate big set a = 1", vec![1, 1, 1]),
        ("create index on big (a);\ncreate table made (id int);\nalter table made add column b int", vec![1, 1, 1]),
        // what was taken away may be about to be made good
        ("alter table small drop column a;\nupdate big set a = 1", vec![1, 1]),
        ("alter table small rename to moved;\nupdate big set a = 1", vec![1, 1]),
        ("alter table small alter column a type bigint;\nupdate big set a = 1", vec![1, 1]),
        ("alter table small alter column a drop default;\nupdate big set a = 1", vec![1, 1]),
        ("alter table big disable trigger all;\nupdate big set a = 1;\nalter table big enable trigger all", vec![1, 1, 1]),
        ("alter table small add column b int not null;\nupdate big set a = 1", vec![1, 1]),
        // who may see what is said before anybody can
        ("alter table small add column b int;\nupdate big set a = 1;\nalter table big enable row level security", vec![1, 1, 1]),
        // what holds for the transaction
        ("set local work_mem = '64MB';\nalter table small add column b int;\nupdate big set a = 1", vec![1, 1, 1]),
        ("lock table other;\nalter table small add column b int;\nupdate big set a = 1", vec![1, 1, 1]),
        ("create temporary table kept (id int) on commit drop;\nalter table small add column b int;\nupdate big set a = 1", vec![1, 1, 1]),
        ("do 'begin null; end';\nalter table small add column b int;\nupdate big set a = 1", vec![1, 1, 1]),
        // rows that are written are not parted from others, nor from what loses them
        ("update small set a = 2;\nalter table small add column b int;\nupdate big set a = 1", vec![1, 1, 1]),
        ("insert into small select id from big;\nalter table other add column b int;\ndrop table big", vec![1, 1, 1]),
        ("insert into small select id from big;\nalter table other add column b int;\ndo 'begin null; end'", vec![1, 1, 1]),
        // after what has taken long
        ("update big set a = 1;\nalter table small add column b int;\nalter table other add column b int", vec![1, 2, 2]),
        ("update big set a = 1;\ncomment on table small is 'x'", vec![1, 1]),
        ("create index on big (a);\nalter table small drop column a", vec![1, 2]),
        ("alter table small add column b int;\nupdate big set a = 1;\nalter table other add column b int", vec![1, 2, 3]),
    ] {
        let chain = of(statements);
        let database = filled(server(), chain, "").await;
        // what is small is empty, and what is large has a page
        database.execute("insert into big select n, n from generate_series(1, 60) n; analyze").await.unwrap();
        let migrator = migrator(database.url(), 1).0;
        let plan = migrator.plan(chain, None).await.unwrap();
        if numbers(&plan) != expected {
            otherwise.push(format!("{statements}: {:?}, expected {expected:?}", numbers(&plan)));
            continue;
        }
        migrator.up(chain, None).await.unwrap_or_else(|error| panic!("{statements}: {error}"));
        let commits = "select count(distinct xmin::text)::text from _migrate.operations where revision = 'bbb222'";
        assert_eq!(database.text(commits).await.unwrap(), expected.last().unwrap().to_string(), "{statements}");
    }
    assert_eq!(otherwise, [""; 0]);
}

/// The same with `#[as_written]` before every statement that has that in it.
fn as_written(chain: Migrations, words: &str) -> Migrations {
    let migrations = chain.migrations.iter().map(|migration| {
        let mut steps: Vec<Step> = serde_json::from_str(migration.up).unwrap();
        for step in steps.iter_mut().filter(|step| step.describe().contains(words)) {
            step.as_written = true;
        }
        let up = &*String::leak(serde_json::to_string(&steps).unwrap());
        &*Box::leak(Box::new(Migration { up, ..**migration }))
    });
    Migrations::new(Vec::leak(migrations.collect()))
}

#[tokio::test]
async fn what_is_to_be_run_as_written_stays_in_its_transaction() {
    let chain = of("alter table small add column b int;\nupdate big set a = 1;\nalter table other add column b int");
    let database = filled(server(), chain, "insert into big select n, n from generate_series(1, 60) n; analyze").await;
    let migrator = migrator(database.url(), 1).0;
    for (words, expected) in [("nothing", [1, 2, 3]), ("update big", [1, 1, 1]), ("other", [1, 2, 2])] {
        assert_eq!(numbers(&migrator.plan(as_written(chain, words), None).await.unwrap()), expected, "{words}");
    }
}

#[tokio::test]
async fn rows_that_wait_for_others_stay_with_them() {
    let chain = chain(
        "=== aaa111 m1\ncreate table authors (id int primary key);\ncreate table big (id int primary key, a int);\n\
         create table books (author int references authors deferrable initially deferred);\ncreate table other (id int);\n\
         === bbb222 m2 after aaa111\ninsert into books values (1);\nalter table other add column b int;\ncreate index on big (a);\n\
         insert into authors values (1);\n",
    );
    let database = filled(server(), chain, "insert into big select n, n from generate_series(1, 60) n; analyze").await;
    let migrator = migrator(database.url(), 1).0;
    assert_eq!(numbers(&migrator.plan(chain, None).await.unwrap()), [1, 1, 1, 1]);
    migrator.up(chain, None).await.unwrap();
}

const THREE: &str = "alter table small add column b int;\nupdate big set a = 1 / a;\nalter table other add column b int";

#[tokio::test]
async fn what_fails_later_leaves_what_was_committed_and_says_so() {
    let chain = of(THREE);
    let database = filled(server(), chain, "insert into big select n, n - 1 from generate_series(1, 60) n; analyze").await;
    let before = database.dump().await;
    let migrator = migrator(database.url(), 1).0;
    let error = migrator.up(chain, None).await.unwrap_err();
    assert_eq!(error.sqlstate().as_deref(), Some("22012"), "{error}");
    assert_eq!(error.now().as_deref(), Some("what the migration had committed before it is done and recorded; the rest was rolled back"));
    let state = "select (select state from _migrate.revisions where revision = 'bbb222') || ': ' ||
        (select string_agg(number || ' ' || outcome, ', ' order by id) from _migrate.operations where revision = 'bbb222')";
    assert_eq!(database.text(state).await.unwrap(), "started: 1 applied, 2 failed");
    let half = database.copy(server()).await;
    // the rest is done once the rows are mended
    database.execute("update big set a = 1").await.unwrap();
    assert_eq!(numbers(&migrator.plan(chain, None).await.unwrap()), [1, 2]);
    let summary = migrator.up(chain, None).await.unwrap();
    assert_eq!(summary.revisions[0].operations.iter().map(|it| it.number).collect::<Vec<_>>(), [2, 3]);
    // or what was done is taken back
    Migrator::new(half.url()).unwrap().down(chain, &DownTo::Steps(1)).await.unwrap();
    assert_eq!(half.dump().await, before);
    Migrator::new(half.url()).unwrap().status(chain).await.unwrap();
}

#[tokio::test]
async fn a_connection_that_breaks_at_any_message_between_transactions_is_healed_by_the_next_up() {
    let chain = of(THREE);
    let rows = "insert into big select n, 1 from generate_series(1, 60) n; analyze";
    let template = filled(server(), chain, rows).await;
    let plain = template.copy(server()).await;
    migrator(plain.url(), u64::MAX).0.up(chain, None).await.unwrap();
    let journal = "select string_agg(number || ' ' || outcome, ', ' order by number) from _migrate.latest where revision = 'bbb222'";
    let mut cuts = 0;
    for cut in (1..).flat_map(|n| [Cut::BeforeRequest(n), Cut::BeforeReply(n)]) {
        let database = template.copy(server()).await;
        let proxy = Proxy::start(server(), Duration::ZERO).unwrap();
        let (own, _) = options(1);
        let options = Options { reconnect_wait: Duration::ZERO, ..own };
        let dying = Migrator::new(proxy.url(database.url()).as_str()).unwrap().with_options(options);
        proxy.cut_at(cut);
        let result = dying.up(chain, None).await;
        if proxy.has_planned_cut() {
            result.unwrap();
            break;
        }
        cuts += 1;
        migrator(database.url(), 1).0.up(chain, None).await.unwrap();
        assert_eq!(database.dump().await, plain.dump().await, "{cut:?}");
        assert_eq!(database.text(journal).await.unwrap(), "1 applied, 2 applied, 3 applied", "{cut:?}");
    }
    assert!(cuts > 6, "{cuts}");
}

#[tokio::test]
async fn one_that_ends_early_isnt_sent_with_others() {
    let text = format!(
        "{THREE};\n=== ccc333 m3 after bbb222\ncreate table more (id int);\n=== ddd444 m4 after ccc333\ncreate table most (id int)"
    );
    let chain = of(&text);
    let database = filled(server(), chain, "insert into big select n, 1 from generate_series(1, 60) n; analyze").await;
    migrator(database.url(), 1).0.up(chain, None).await.unwrap();
    let transactions = "select string_agg(n::text, ', ' order by revision) from
        (select revision, count(distinct xmin::text) as n from _migrate.operations group by revision) as counted";
    assert_eq!(database.text(transactions).await.unwrap(), "1, 3, 1, 1");
}

#[tokio::test]
async fn what_ends_the_transaction_of_an_opaque_statement_records_nothing_that_isnt_done() {
    // only once the block has run is there something to index
    let chain = chain(
        "=== aaa111 m1\ncreate table seen (id int primary key);\n=== bbb222 m2 after aaa111\n--- external\n\
         create table made (id int);\n--- up\ndo 'begin create table public.made (id int); insert into public.made values (1), (1); end';\n\
         create unique index concurrently made_id on made (id);\nalter table seen add column b int;\n",
    );
    let database = filled(server(), chain, "").await;
    let (own, _) = options(u64::MAX);
    let error = Migrator::new(database.url()).unwrap().with_options(own).up(chain, None).await.unwrap_err();
    assert_eq!(error.sqlstate().as_deref(), Some("23505"), "{error}");
    let journal = "select string_agg(number || ' ' || outcome, ', ' order by id) from _migrate.operations where revision = 'bbb222'";
    assert_eq!(database.text(journal).await.unwrap(), "2 applied, 3 started, 3 failed");
    database.execute("delete from made").await.unwrap();
    migrator(database.url(), u64::MAX).0.up(chain, None).await.unwrap();
    let there = "select (to_regclass('made_id') is not null)::text || (select count(*) from pg_attribute where attrelid = 'seen'::regclass and attname = 'b')";
    assert_eq!(database.text(there).await.unwrap(), "true1");
}
