//! The catalog is the same.

use super::{KINDS, chain_of, filled, migrator, state};
use migrate_runtime::{Database as Migrator, DownTo};
use migrate_tests::Database;
use migrate_tests::chain::chain;
use migrate_tests::history::PgDump;
use migrate_tests::servers;

#[tokio::test]
async fn phases_leave_what_the_statement_would_have_left() {
    for server in servers() {
        for kind in KINDS {
            let chain = chain_of(kind.statement);
            let (plain, phased) = (filled(server, chain).await, filled(server, chain).await);
            let before = phased.dump().await;
            let (as_written, none) = migrator(plain.url(), u64::MAX);
            as_written.up(chain, None).await.unwrap();
            assert_eq!(*none.lock().unwrap(), [""; 0], "{}", kind.name);
            let (in_phases, told) = migrator(phased.url(), 0);
            let summary = in_phases.up(chain, None).await.unwrap();
            assert_eq!(told.lock().unwrap().len(), kind.phases, "{}: {told:?}", kind.name);
            assert_eq!(phased.dump().await, plain.dump().await, "{}", kind.name);
            assert_eq!(state(&phased).await, state(&plain).await, "{}", kind.name);
            // `pg_dump` refuses a server that is newer than itself
            if std::ptr::eq(server, migrate_tests::server()) {
                let pg_dump = PgDump::find().unwrap();
                assert_eq!(pg_dump.dump(&phased).unwrap(), pg_dump.dump(&plain).unwrap(), "{}", kind.name);
            }
            let evidence = summary.revisions[0].operations.iter().map(|operation| operation.evidence.as_str()).collect::<String>();
            assert!(evidence.contains("in phases: `") && evidence.contains("0 bytes is large; PostgreSQL 1"), "{evidence}");
            in_phases.down(chain, &DownTo::Steps(1)).await.unwrap();
            assert_eq!(phased.dump().await, before, "{}", kind.name);
        }
    }
}

#[tokio::test]
async fn names_of_any_kind_and_parts_of_others_are_no_hindrance() {
    let long = "a_column_whose_name_is_as_long_as_postgresql_takes_it_to_be_63_b";
    let base = format!(
        "=== aaa111 m1\ncreate schema \"My App\";\n\
         create table \"My App\".\"Big Table\" (\"Select\" int, \"it's\" text, {} text);\n\
         create table parts (id int, a text) partition by range (id);\n\
         create table part partition of parts for values from (0) to (10);\n\
         create table parent (id int, a text);\ncreate table child (b text) inherits (parent);\n",
        &long[..63]
    );
    let chain = chain(&format!(
        "{base}=== bbb222 m2 after aaa111\n\
         alter table \"My App\".\"Big Table\" alter column \"it's\" set not null;\n\
         alter table \"My App\".\"Big Table\" alter column {} set not null;\n\
         alter table \"My App\".\"Big Table\" add primary key (\"Select\");\n\
         alter table \"My App\".\"Big Table\" add unique (\"it's\", \"Select\");\n\
         alter table \"My App\".\"Big Table\" add check (\"it's\" <> 'it''s');\n\
         alter table child add foreign key (id) references \"My App\".\"Big Table\";\n\
         alter table child alter column b set not null;\nalter table child add check (a <> '');\n\
         alter table part alter column a set not null;\nalter table part add unique (a);\n",
        &long[..63]
    ));
    for server in servers() {
        let (plain, phased) = (Database::create(server).await, Database::create(server).await);
        for database in [&plain, &phased] {
            Migrator::new(database.url()).unwrap().up(chain, Some("m1")).await.unwrap();
        }
        Migrator::new(plain.url()).unwrap().up(chain, None).await.unwrap();
        let (migrator, told) = migrator(phased.url(), 0);
        migrator.up(chain, None).await.unwrap();
        assert_eq!(told.lock().unwrap().len(), 3 + 3 + 4 + 2 + 2 + 2 + 3 + 2 + 3 + 2, "{told:?}");
        assert_eq!(phased.dump().await, plain.dump().await);
    }
}
