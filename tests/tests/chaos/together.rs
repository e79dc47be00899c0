//! Every replica of an application starts at once, and each of them runs the migrations that it has in itself.

use crate::way::up;
use migrate_tests::chain::chain;
use migrate_tests::{Database, server};
use tokio::task::JoinSet;

const REPLICAS: usize = 32;

const CHAIN: &str = "\
=== aaaaaaaaaaaa documents
create table documents (id bigint generated always as identity primary key, title text, state text default 'new');
insert into documents (title) select 'document ' || number from generate_series(1, 2000) as numbers (number);
create index concurrently documents_title on documents (title);
=== bbbbbbbbbbbb states after aaaaaaaaaaaa
create index concurrently documents_state on documents (state);
alter table documents add column author text;
create unique index concurrently documents_title_state on documents (title, state);
=== cccccccccccc notes after bbbbbbbbbbbb
create table notes (id bigint generated always as identity primary key, document bigint not null references documents);
insert into notes (document) select id from documents;
create index concurrently notes_document on notes (document);
drop index concurrently documents_title;
";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_migrators_do_everything_once() {
    let database = Database::create(server()).await;
    let chain = chain(CHAIN);
    let mut replicas = JoinSet::new();
    for _ in 0..REPLICAS {
        let url = database.url().to_owned();
        replicas.spawn(async move { up(&url, chain).await });
    }
    let results = replicas.join_all().await;
    let failures: Vec<_> = results.iter().filter_map(|result| result.as_ref().err()).collect();
    assert!(failures.is_empty(), "{failures:?}");
    let workers = results.iter().flatten().filter(|summary| !summary.revisions.is_empty()).count();
    assert!(workers >= 1, "somebody has done it");
    let text = async |sql: &str| database.text(sql).await.unwrap();
    let journal = "select string_agg(line, ' ' order by line) from \
                   (select left(revision, 1) || number || ' ' || count(*) || ' ' || min(outcome) as line from _migrate.operations \
                    where outcome <> 'started' group by revision, number) as lines";
    assert_eq!(
        text(journal).await,
        "a1 1 applied a2 1 applied a3 1 applied b1 1 applied b2 1 applied b3 1 applied c1 1 applied c2 1 applied c3 1 applied c4 1 applied"
    );
    assert_eq!(text("select count(*)::text from _migrate.operations where outcome = 'started'").await, "5");
    assert_eq!(text("select string_agg(state, ' ') from _migrate.revisions").await, "applied applied applied");
    assert_eq!(text("select count(*)::text from pg_index where not (indisvalid and indisready)").await, "0");
    assert_eq!(text("select (select count(*) from documents) || ' ' || (select count(*) from notes)").await, "2000 2000");
    assert!(!database.log_contains_sqlstate("40P01").await, "a deadlock");
    assert!(up(database.url(), chain).await.unwrap().revisions.is_empty());
}
