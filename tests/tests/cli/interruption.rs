//! Ctrl-C: the command ends, and what it says is true then is true.

use crate::locks::{SLEEPS, until};
use crate::process::{Migrate, Ran};
use migrate_tests::{Database, server};
use rustix::process::{Pid, Signal, kill_process};
use std::process::Child;
use std::time::{Duration, Instant};

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Everything that follows the sleep is in the same message: a server that goes on would commit it.
const CHAIN: &str = "=== aaa111 m1\ncreate table first (id int primary key);\n\
                     === bbb222 m2 after aaa111\ncreate table second (id int primary key);\nselect pg_sleep(4);\n\
                     create table third (id int primary key);\n";

#[tokio::test]
async fn an_interrupted_up_is_rolled_back_on_the_server_too() {
    for (number, name) in [(Signal::INT, "SIGINT"), (Signal::TERM, "SIGTERM")] {
        let database = Database::create(server()).await;
        let migrate = Migrate::on(&database, CHAIN);
        let child = migrate.start(&["up"]);
        until(&database, SLEEPS).await;
        let began = Instant::now();
        signal(&child, number);
        let ran: Ran = child.wait_with_output().unwrap().into();
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
        assert_eq!(ran.code, 130, "{ran:?}");
        let expected = format!(
            "{name}: rolling back\nerror: interrupted by {name}\n\
             now: what was not committed is rolled back; the database is at aaa111 (m1)\n\
             help: run the command again: it goes on from there\n"
        );
        assert_eq!(ran.stderr, expected);
        until(&database, &format!("not {SLEEPS}")).await;
        // longer than the statement would have taken
        tokio::time::sleep(Duration::from_secs(4)).await;
        assert!(!database.dump().await.contains("second"));
        assert_eq!(migrate.done(&["current"]), "aaa111 m1\n");
        assert!(migrate.done(&["up"]).ends_with("at bbb222 (m2)\n"));
    }
}

#[tokio::test]
async fn a_segment_that_is_committed_is_told() {
    let database = Database::create(server()).await;
    let chain = "=== aaa111 m1\ncreate table first (id int primary key);\nvacuum first;\n\
                 select pg_sleep(60);\n";
    let migrate = Migrate::on(&database, chain);
    let child = migrate.start(&["up", "--format", "json"]);
    until(&database, SLEEPS).await;
    signal(&child, Signal::INT);
    let ran: Ran = child.wait_with_output().unwrap().into();
    assert_eq!(ran.code, 130, "{ran:?}");
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["error"]["kind"], "interrupted");
    let now = document["error"]["now"].as_str().unwrap();
    assert!(now.ends_with("; `m1` is done in part, and the journal says which part"), "{now}");
    assert!(migrate.done(&["status"]).contains("interrupted"));
}

#[tokio::test]
async fn an_interrupted_reader_has_changed_nothing() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let migrate = Migrate::new(CHAIN).at(&format!("postgres://app@{}/shop", listener.local_addr().unwrap()));
    let child = migrate.start(&["status"]);
    // a server that never answers
    let (_silent, _) = listener.accept().unwrap();
    signal(&child, Signal::INT);
    let ran: Ran = child.wait_with_output().unwrap().into();
    assert_eq!((ran.code, ran.stderr.as_str()), (130, "error: interrupted by SIGINT\nnow: nothing was changed\n"));
}

#[tokio::test]
async fn a_second_signal_ends_the_waiting() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let migrate = Migrate::new(CHAIN).at(&format!("postgres://app@{}/shop", listener.local_addr().unwrap()));
    let child = migrate.start(&["up"]);
    let (_silent, _) = listener.accept().unwrap();
    signal(&child, Signal::INT);
    // it looks again where the database stands, and gets no answer either
    let (_silent_too, _) = listener.accept().unwrap();
    signal(&child, Signal::TERM);
    let began = Instant::now();
    let ran: Ran = child.wait_with_output().unwrap().into();
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert_eq!(ran.code, 130);
    assert!(ran.stderr.contains("`migrate status` says where it stands"), "{}", ran.stderr);
}
