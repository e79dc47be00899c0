//! Constraints that say the same under several names.

use super::chain::{Draft, chain};
use super::database::{File, count};
use migrate_runtime::{Migrations, Outcome};

fn people() -> Migrations {
    chain(vec![
        Draft::new("a1", &[])
            .up("create table people (id bigint primary key, email text constraint people_email_key unique, team bigint)")
            .up("create table teams (id bigint primary key)"),
        Draft::new("b2", &["a1"])
            .up("alter table people add constraint people_email_twin unique (email)")
            .up("alter table people add constraint people_id_twin unique (id)")
            .up("alter table people add constraint people_email_check check (email <> '')")
            .up("alter table people add constraint people_email_check_twin check (email <> '')")
            .up("alter table people add constraint people_team_fkey foreign key (team) references teams (id)")
            .up("alter table people add constraint people_team_twin foreign key (team) references teams (id)"),
    ])
}

#[tokio::test]
async fn all_of_them_are_seen() {
    let file = File::new();
    let summary = file.up(people()).await.unwrap();
    assert_eq!(count(&summary, Outcome::Satisfied), 0);
    assert_eq!(file.database().check(people()).await.unwrap().drift, Vec::<String>::new());
    assert!(file.up(people()).await.unwrap().revisions.is_empty());
    let whole = file.schema().await;
    file.down(people(), 1).await.unwrap();
    assert!(!file.schema().await.contains("twin"));
    file.up(people()).await.unwrap();
    assert_eq!(file.schema().await, whole);
}

#[tokio::test]
async fn each_of_them_is_recognized_as_done() {
    let file = File::new();
    file.database().up(people(), Some("a1")).await.unwrap();
    file.execute(
        "drop table people; create table people (id integer not null, email text constraint people_email_key unique, team integer,
         constraint people_pkey primary key (id), constraint people_email_twin unique (email), constraint people_id_twin unique (id),
         constraint people_email_check check (email <> ''), constraint people_email_check_twin check (email <> ''),
         constraint people_team_fkey foreign key (team) references teams (id),
         constraint people_team_twin foreign key (team) references teams (id))",
    )
    .await;
    let summary = file.up(people()).await.unwrap();
    assert_eq!((count(&summary, Outcome::Satisfied), count(&summary, Outcome::Applied)), (6, 0));
}
