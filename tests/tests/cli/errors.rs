//! What goes wrong: the message, what is true then, what to do, and the exit code.

use crate::process::{CHAIN, EMPTY, Migrate};
use migrate_tests::{Database, server};
use serde_json::json;

#[tokio::test]
async fn a_failed_operation_names_its_place_its_sql_and_its_code() {
    let database = Database::create(server()).await;
    let chain = format!(
        "{CHAIN}=== ccc111 m0006_data after aae3309a2a8b\ninsert into tags values (1, null);\n\
         === ccc222 m0007_not_null after ccc111\nalter table tags alter column label set not null;\n"
    );
    let migrate = Migrate::on(&database, &chain);
    let ran = migrate.run(&["up"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.contains("applied m0006_data (ccc111): 1 applied in "), "{}", ran.stdout);
    assert_eq!(
        ran.stderr,
        "error: set column `tags.label` not null (chain.txt:16) failed: column \"label\" of relation \"tags\" contains null values (SQLSTATE 23502)\n  \
           operation 1 of m0007_not_null (ccc222)\n    alter table public.tags alter column label set not null\n\
         now: the migration was rolled back whole; the database is as it was before it, and the failure is in the journal; \
         what was done before it holds, up to `m0006_data`\n\
         help: fill the nulls (an `update` before it in the migration, or by hand), then run `up` again\n"
    );
    let (code, document) = migrate.json(&["up"]);
    let error = &document["error"];
    assert_eq!((code, &error["exit_code"]), (1, &json!(1)));
    assert_eq!(error["kind"], "operation");
    assert_eq!(error["sqlstate"], "23502");
    assert_eq!(error["place"]["name"], "m0007_not_null");
    assert_eq!(error["place"]["number"], 1);
    assert_eq!(error["place"]["line"], 16);
    assert!(error["now"].as_str().unwrap().starts_with("the migration was rolled back whole"));
    assert!(error["help"].as_str().unwrap().starts_with("fill the nulls"));
    database.execute("update tags set label = 'x'").await.unwrap();
    migrate.done(&["up"]);
}

#[tokio::test]
async fn what_was_done_before_the_failure_is_in_the_document() {
    let database = Database::create(server()).await;
    let chain = "=== aaa111 m1\ncreate table a (id int primary key);\n=== bbb222 m2 after aaa111\nselect 1 / 0;\n";
    let (code, document) = Migrate::on(&database, chain).json(&["up"]);
    assert_eq!((code, &document["error"]["sqlstate"]), (1, &json!("22012")));
    assert_eq!(document["revisions"].as_array().unwrap().len(), 1);
    assert_eq!(document["revisions"][0]["revision"], "aaa111");
}

#[tokio::test]
async fn a_conflict_is_drift() {
    let database = Database::create(server()).await;
    database.execute("create table documents (id bigint primary key, body integer)").await.unwrap();
    let migrate = Migrate::on(&database, CHAIN);
    let ran = migrate.run(&["up"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(
        ran.stderr
            .starts_with("error: create table `documents` (chain.txt:2) can't be done: the database has it with another definition\n"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("integer") && ran.stderr.contains("text") && ran.stderr.contains("\nhelp: make the definitions equal"));
    let plan = migrate.run(&["plan"]);
    assert_eq!((plan.code, plan.stderr.as_str()), (4, ""), "a plan with an obstacle is a result");
    assert!(plan.stdout.ends_with("1 in the way; `up` would fail, and change nothing of that revision\n"), "{}", plan.stdout);
    let (code, document) = migrate.json(&["up"]);
    assert_eq!((code, &document["error"]["kind"]), (4, &json!("drift")));
}

#[tokio::test]
async fn a_history_that_does_not_fit_is_refused() {
    let database = Database::create(server()).await;
    Migrate::on(&database, CHAIN).done(&["up"]);
    let tampered = Migrate::on(&database, &CHAIN.replace("label text", "label varchar(9)"));
    let shorter = Migrate::on(&database, "=== b354d12d1e7d m0001_baseline\ncreate table documents (id bigint primary key, body text);\n");
    for (migrate, reason) in
        [(tampered, "`m0004_tags` (revision d47310025be2) was changed after it was applied"), (shorter, "doesn't know")]
    {
        for command in ["up", "down", "status", "check", "plan", "current", "skipped"] {
            let ran = migrate.run(&[command]);
            assert_eq!((ran.code, ran.stdout.as_str()), (5, ""), "{command}: {ran:?}");
            assert!(ran.stderr.contains(reason) && ran.stderr.contains("\nnow: nothing was changed\nhelp: "), "{}", ran.stderr);
        }
        let (code, document) = migrate.json(&["up"]);
        assert_eq!((code, &document["error"]["kind"]), (5, &json!("history")));
    }
}

#[tokio::test]
async fn an_unknown_revision_is_wrong_usage() {
    let database = Database::create(server()).await;
    let migrate = Migrate::on(&database, CHAIN);
    for arguments in [&["up", "--to", "m0003_page"][..], &["stamp", "m0003_page"], &["plan", "--to", "m0003_page"]] {
        let ran = migrate.run(arguments);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert_eq!(
            ran.stderr,
            "error: no revision `m0003_page` in this chain\nnow: nothing was changed\nhelp: did you mean `m0003_pages`?\n"
        );
    }
    assert_eq!(database.dump().await, EMPTY);
}

#[tokio::test]
async fn an_irreversible_migration_says_why() {
    let database = Database::create(server()).await;
    let chain = "=== aaa111 m1\ncreate table a (id int primary key);\n--- irreversible its rows are nowhere else\n";
    let migrate = Migrate::on(&database, chain);
    migrate.done(&["up"]);
    let ran = migrate.run(&["down"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.starts_with("error: `m1` can't be reversed: its rows are nowhere else\nnow: nothing was changed\nhelp: "),
        "{}",
        ran.stderr
    );
}

#[test]
fn without_a_database_it_says_what_to_set() {
    let migrate = Migrate::new(CHAIN);
    let expected = "error: no database is named\nnow: nothing was changed\nhelp: set DATABASE_URL or give `--database-url`: \
                    `postgres://user@host:5432/database`";
    for command in ["up", "down", "status", "current", "skipped", "plan", "check"] {
        let ran = migrate.run(&[command]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{command}");
        assert!(ran.stderr.starts_with(expected), "{command}: {}", ran.stderr);
    }
    let ran: crate::process::Ran = migrate.command(&["up"]).env("DATABASE_URL", "").output().unwrap().into();
    assert!(ran.code == 2 && ran.stderr.starts_with(expected), "{ran:?}");
    let (code, document) = migrate.json(&["up"]);
    assert_eq!((code, &document["error"]["kind"]), (2, &json!("usage")));
    assert!(document["error"]["help"].as_str().unwrap().starts_with("set DATABASE_URL"));
}

#[test]
fn wrong_arguments_are_wrong_usage_in_every_format() {
    let migrate = Migrate::new(CHAIN);
    let cases: [&[&str]; 7] = [
        &["upp"],
        &["up", "--to"],
        &["down", "--steps", "0"],
        &["down", "--base", "--steps", "2"],
        &["up", "--lock-timeout", "5"],
        &["up", "--lock-timeout", "0s"],
        &[],
    ];
    for arguments in cases {
        let ran = migrate.run(arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{arguments:?}: {ran:?}");
        assert!(!ran.stderr.contains('\u{1b}'), "{}", ran.stderr);
        let (code, document) = migrate.json(arguments);
        assert_eq!((code, &document["error"]["kind"]), (2, &json!("usage")), "{arguments:?}");
        assert!(!document["error"]["message"].as_str().unwrap().contains('\u{1b}'));
    }
    let ran = migrate.run(&["up", "--lock-timeout", "5"]);
    assert!(ran.stderr.contains("write a number and its unit: `500ms`, `2s`, `5m` or `1h`"), "{}", ran.stderr);
}

#[test]
fn other_databases_are_refused() {
    let ran = Migrate::new(CHAIN).at("mysql://root@localhost/app").run(&["up"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.starts_with("error: this build doesn't speak `mysql`\nnow: nothing was changed\nhelp: write `postgres://"),
        "{}",
        ran.stderr
    );
}
