//! Every command on a database: its text, its document, its exit code.

use crate::process::{CHAIN, EMPTY, Migrate, steady};
use migrate_tests::{Database, server};
use serde_json::json;

#[tokio::test]
async fn up_says_what_it_did_and_then_that_there_is_nothing_to_do() {
    let database = Database::create(server()).await;
    let migrate = Migrate::on(&database, CHAIN);
    let first = migrate.done(&["up"]);
    assert_eq!(
        steady(&first, &database),
        "applied m0001_baseline (b354d12d1e7d): 1 applied in TIME s\n\
         applied m0002_titles (65e4b4ef883d): 1 applied, 1 skipped in TIME s\n  \
           skipped add column `events.starts` (chain.txt:7): table events is absent\n\
         applied m0003_pages (774225e563ca): 1 applied in TIME s\n\
         applied m0004_tags (d47310025be2): 1 applied in TIME s\n\
         applied m0005_merge (aae3309a2a8b): no operations in TIME s\n\
         at aae3309a2a8b (m0005_merge); 1 operation is skipped for now: `migrate skipped` shows it\n"
    );
    let second = migrate.done(&["up"]);
    assert_eq!(second, "nothing to do: at aae3309a2a8b (m0005_merge); 1 operation is skipped for now: `migrate skipped` shows it\n");
}

#[tokio::test]
async fn what_was_skipped_is_caught_up_with() {
    let database = Database::create(server()).await;
    let migrate = Migrate::on(&database, CHAIN);
    migrate.done(&["up"]);
    database.execute("create table events (id bigint primary key, title text)").await.unwrap();
    let text = steady(&migrate.done(&["up"]), &database);
    assert_eq!(text, "caught up m0002_titles (65e4b4ef883d): 1 applied in TIME s\nat aae3309a2a8b (m0005_merge)\n");
    assert_eq!(migrate.done(&["skipped"]), "nothing is skipped\n");
}

#[tokio::test]
async fn up_stops_at_the_revision_that_is_named() {
    let database = Database::create(server()).await;
    let migrate = Migrate::on(&database, CHAIN);
    let (code, document) = migrate.json(&["up", "--to", "m0002_titles"]);
    assert_eq!(code, 0);
    assert_eq!(document["current"], json!([{ "revision": "65e4b4ef883d", "name": "m0002_titles" }]));
    assert_eq!(document["skipped"], 1);
    let revisions = document["revisions"].as_array().unwrap();
    assert_eq!(revisions.len(), 2);
    assert_eq!(revisions[1]["operations"][1]["outcome"], "skipped");
    assert_eq!(revisions[1]["operations"][1]["evidence"], "table events is absent");
    assert_eq!(revisions[1]["operations"][1]["line"], 7);
    assert!(document["target"].as_str().unwrap().contains(database.name()));
}

#[tokio::test]
async fn status_and_history_show_where_the_database_stands() {
    let database = Database::create(server()).await;
    let migrate = Migrate::on(&database, CHAIN);
    migrate.done(&["up", "--to", "65e4b4ef883d"]);
    assert_eq!(
        steady(&migrate.done(&["status"]), &database),
        "HOST port PORT database NAME user postgres\n\n\
         REVISION      NAME            STATE    RECORDED (UTC)       SKIPPED  SUMMARY\n\
         b354d12d1e7d  m0001_baseline  applied  DAY-AND-TIME           Summary of m0001_baseline\n\
         65e4b4ef883d  m0002_titles    applied  DAY-AND-TIME  1        Summary of m0002_titles\n\
         774225e563ca  m0003_pages     pending                                Summary of m0003_pages\n\
         d47310025be2  m0004_tags      pending                                Summary of m0004_tags\n\
         aae3309a2a8b  m0005_merge     pending                                Summary of m0005_merge\n\n\
         3 revisions pending, at 65e4b4ef883d (m0002_titles); 1 operation is skipped for now: `migrate skipped` shows it\n"
    );
    assert_eq!(
        migrate.done(&["history"]),
        "○─╮  aae3309a2a8b  m0005_merge     pending      Summary of m0005_merge\n\
         │ ○  d47310025be2  m0004_tags      pending      Summary of m0004_tags\n\
         ○ │  774225e563ca  m0003_pages     pending      Summary of m0003_pages\n\
         ├─╯\n\
         ●    65e4b4ef883d  m0002_titles    applied      Summary of m0002_titles\n\
         ●    b354d12d1e7d  m0001_baseline  applied      Summary of m0001_baseline\n"
    );
    assert_eq!(migrate.done(&["current"]), "65e4b4ef883d m0002_titles\n");
    assert_eq!(
        migrate.done(&["skipped"]),
        "MIGRATION     NO  OPERATION                   WHY                     SOURCE\n\
         m0002_titles  2   add column `events.starts`  table events is absent  chain.txt:7\n\n\
         1 operation skipped for now; `migrate up` applies them once what they work on is there\n"
    );
    let (_, document) = migrate.json(&["status"]);
    let states: Vec<_> = document["revisions"].as_array().unwrap().iter().map(|row| row["state"].as_str()).collect();
    assert_eq!(states, [Some("applied"), Some("applied"), None, None, None]);
    assert_eq!(document["skipped"][0]["file"], "chain.txt");
    let (_, current) = migrate.json(&["current"]);
    assert_eq!(current["current"], json!([{ "revision": "65e4b4ef883d", "name": "m0002_titles" }]));
    assert_eq!(current["pending"], 3);
    let (_, skipped) = migrate.json(&["skipped"]);
    assert_eq!(skipped["skipped"][0]["number"], 2);
    let (_, history) = migrate.json(&["history"]);
    assert_eq!(history["revisions"][4]["parents"], json!(["774225e563ca", "d47310025be2"]));
}

#[test]
fn the_graph_needs_no_database() {
    let migrate = Migrate::new(CHAIN);
    let drawn = migrate.done(&["history"]);
    assert!(drawn.starts_with("●─╮  aae3309a2a8b  m0005_merge     Summary of m0005_merge\n"), "{drawn}");
    let (code, document) = migrate.json(&["history"]);
    assert_eq!((code, &document["target"]), (0, &json!(null)));
    assert_eq!(document["revisions"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn a_plan_says_what_would_be_done_and_does_nothing() {
    let database = Database::create(server()).await;
    let migrate = Migrate::on(&database, CHAIN);
    let plan = steady(&migrate.done(&["plan", "--to", "65e4b4ef883d"]), &database);
    assert_eq!(
        plan,
        "HOST port PORT database NAME user postgres\n\n\
         m0001_baseline (b354d12d1e7d)\n\
         NO  OPERATION                 VERDICT  TRANSACTION  SOURCE\n\
         1   create table `documents`  before   1            chain.txt:2\n\n\
         m0002_titles (65e4b4ef883d)\n\
         NO  OPERATION                     VERDICT  WHY                     TRANSACTION  LOCKS                             SOURCE\n\
         1   add column `documents.title`  before                           1            AccessExclusiveLock on documents  chain.txt:6\n\
         2   add column `events.starts`    absent   table events is absent                                                 chain.txt:7\n\n\
         2 revisions: 2 to run, 1 to skip\n"
    );
    assert_eq!(steady(&migrate.done(&["up", "--dry-run", "--to", "65e4b4ef883d"]), &database), plan);
    let (code, document) = migrate.json(&["up", "--dry-run"]);
    assert_eq!((code, &document["dialect"]), (0, &json!("postgres")));
    assert_eq!(document["revisions"][1]["operations"][1]["verdict"], "absent");
    assert_eq!(database.dump().await, EMPTY);
    let journal = database.text("select count(*)::text from pg_namespace where nspname = '_migrate'").await;
    assert_eq!(journal.unwrap(), "0");
}

#[tokio::test]
async fn a_plan_says_what_it_does_not_know() {
    let database = Database::create(server()).await;
    let chain = format!("{CHAIN}=== ccc111 m0006_vacuum after aae3309a2a8b\nvacuum documents;\nselect 1;\n");
    let migrate = Migrate::on(&database, &chain);
    let plan = migrate.done(&["plan"]);
    let vacuum = plan.lines().find(|line| line.contains("vacuum documents")).unwrap();
    assert_eq!(vacuum.matches("unknown").count(), 2, "neither the locks nor the rewrites are known: {vacuum}");
    let (_, document) = migrate.json(&["plan"]);
    let unknown = |revision: usize, operation: usize| document["revisions"][revision]["operations"][operation]["unknown_effects"].clone();
    assert_eq!((unknown(0, 0), unknown(5, 0), unknown(5, 1)), (json!(false), json!(true), json!(true)));
}

#[tokio::test]
async fn the_planned_sql_runs_as_it_stands() {
    let chain = format!(
        "{CHAIN}=== ccc111 m0006_index after aae3309a2a8b\n\
         comment on table documents is 'papers -- and more';\n\
         select 1 -- a comment at the end\n;\n\
         vacuum documents;\n\
         alter table tags add column colour text;\n"
    );
    let (by_hand, by_up) = (Database::create(server()).await, Database::create(server()).await);
    let script = Migrate::on(&by_hand, &chain).done(&["plan", "--sql"]);
    assert!(script.contains("\n-- 2 add column `events.starts`, chain.txt:7: absent (table events is absent)\n"), "{script}");
    let outside = script.find("\nvacuum documents").unwrap();
    let begins = script[..outside].matches("\nbegin;\n").count();
    assert_eq!(begins, script[..outside].matches("\ncommit;\n").count(), "{script}");
    let mut connection = by_hand.connect().await;
    for part in parts(&script) {
        sqlx::raw_sql(sqlx::AssertSqlSafe(part.clone())).execute(&mut connection).await.unwrap_or_else(|error| panic!("{error}:\n{part}"));
    }
    Migrate::on(&by_up, &chain).done(&["up"]);
    assert_eq!(by_hand.dump().await, by_up.dump().await);
}

/// The script in parts that can be sent as one message each: what is outside of a transaction has to be alone.
fn parts(script: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for line in script.lines() {
        if line == "begin;" || line.starts_with("vacuum") {
            parts.push(String::new());
        }
        let part = parts.last_mut().unwrap();
        part.push_str(line);
        part.push('\n');
        if line == "commit;" || line.starts_with("vacuum") {
            parts.push(String::new());
        }
    }
    parts
}

#[tokio::test]
async fn down_goes_back_as_far_as_it_is_told() {
    let database = Database::create(server()).await;
    let migrate = Migrate::on(&database, CHAIN);
    migrate.done(&["up"]);
    let one = steady(&migrate.done(&["down"]), &database);
    assert_eq!(
        one,
        "reverted m0005_merge (aae3309a2a8b): no operations in TIME s\nat 774225e563ca (m0003_pages) and d47310025be2 (m0004_tags)\n"
    );
    let (code, two) = migrate.json(&["down", "--steps", "2"]);
    assert_eq!((code, two["revisions"].as_array().unwrap().len()), (0, 2));
    assert_eq!(two["current"][0]["revision"], "65e4b4ef883d");
    let three = steady(&migrate.done(&["down", "--to", "b354d12d1e7d"]), &database);
    assert_eq!(three, "reverted m0002_titles (65e4b4ef883d): 1 reverted in TIME s\nat b354d12d1e7d (m0001_baseline)\n");
    let base = steady(&migrate.done(&["down", "--base"]), &database);
    assert_eq!(base, "reverted m0001_baseline (b354d12d1e7d): 1 reverted in TIME s\nat no revision yet\n");
    assert_eq!(migrate.done(&["down"]), "nothing to do: at no revision yet\n");
    assert_eq!(database.dump().await, EMPTY);
    assert_eq!(migrate.done(&["current"]), "no revision is recorded\n");
}

#[tokio::test]
async fn stamp_records_and_runs_nothing() {
    let database = Database::create(server()).await;
    let migrate = Migrate::on(&database, CHAIN);
    let first = steady(&migrate.done(&["stamp", "65e4b4ef883d"]), &database);
    assert_eq!(
        first,
        "stamped 65e4b4ef883d (m0002_titles): 2 revisions recorded, nothing was run\n  b354d12d1e7d\n  65e4b4ef883d\n\
         HOST port PORT database NAME user postgres is at 65e4b4ef883d (m0002_titles)\n"
    );
    let again = steady(&migrate.done(&["stamp", "m0002_titles"]), &database);
    assert_eq!(
        again,
        "nothing to do: 65e4b4ef883d (m0002_titles) is recorded already\n\
         HOST port PORT database NAME user postgres is at 65e4b4ef883d (m0002_titles)\n"
    );
    let (_, document) = migrate.json(&["stamp", "head"]);
    assert_eq!(document["recorded"], json!(["774225e563ca", "d47310025be2", "aae3309a2a8b"]));
    assert_eq!(database.dump().await, EMPTY);
}

#[tokio::test]
async fn check_tells_sync_pending_and_drift_apart() {
    let database = Database::create(server()).await;
    let migrate = Migrate::on(&database, CHAIN);
    migrate.done(&["up", "--to", "65e4b4ef883d"]);
    let pending = migrate.run(&["check"]);
    assert_eq!((pending.code, pending.stderr.as_str()), (3, ""));
    assert_eq!(
        pending.stdout,
        "3 revisions pending, at 65e4b4ef883d (m0002_titles); 1 operation is skipped for now: `migrate skipped` shows it\n  \
           pending 774225e563ca m0003_pages\n  pending d47310025be2 m0004_tags\n  pending aae3309a2a8b m0005_merge\n"
    );
    migrate.done(&["up"]);
    let (code, document) = migrate.json(&["check"]);
    assert_eq!((code, &document["drift"]), (0, &json!([])));
    assert!(migrate.done(&["check"]).starts_with("in sync: at aae3309a2a8b (m0005_merge)"));
    database.execute("alter table documents drop column title").await.unwrap();
    let drift = migrate.run(&["check"]);
    assert_eq!(drift.code, 4, "{drift:?}");
    assert!(
        drift
            .stdout
            .starts_with("drift: the schema differs from its history in 1 place\n  table documents: column title is missing: text not null default 'none'\n"),
        "{}",
        drift.stdout
    );
    let (code, document) = migrate.json(&["check"]);
    assert_eq!((code, document["drift"].as_array().unwrap().len()), (4, 1));
}

#[test]
fn completions_are_a_script() {
    let migrate = Migrate::new(CHAIN);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = migrate.done(&["completions", shell]);
        assert!(script.contains("migrate-chain") && script.contains("dry-run"), "{shell}: {script}");
    }
    let (code, document) = migrate.json(&["completions", "bash"]);
    assert_eq!((code, &document["shell"]), (0, &json!("bash")));
    assert!(document["script"].as_str().unwrap().contains("complete -F"));
}

#[test]
fn the_default_database_is_used_where_none_is_named() {
    let migrate = Migrate::new(CHAIN);
    let default = "postgres://nobody@127.0.0.1:1/default_database";
    let ran = migrate.command(&["status"]).env("MIGRATE_TEST_DEFAULT_URL", default).output().unwrap();
    let stderr = String::from_utf8(ran.stderr).unwrap();
    assert!(stderr.starts_with("error: can't connect to 127.0.0.1 port 1 database default_database user nobody: "), "{stderr}");
    let ran = migrate.command(&["status", "--database-url", "postgres://nobody@127.0.0.1:1/named"]);
    let stderr = { ran }.env("MIGRATE_TEST_DEFAULT_URL", default).output().unwrap().stderr;
    assert!(String::from_utf8(stderr).unwrap().contains("database named user"));
}
