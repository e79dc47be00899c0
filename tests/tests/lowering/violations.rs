//! A row that is in the way.

use super::{KINDS, chain_of, filled, migrator, state};
use migrate_runtime::Error;
use migrate_tests::servers;

#[tokio::test]
async fn what_violates_is_named_and_nothing_is_left_behind() {
    for server in servers() {
        for kind in KINDS {
            let chain = chain_of(kind.statement);
            let database = filled(server, chain).await;
            // what the migration does before the phases is committed, and stays
            let prelude: Vec<&str> = kind.statement.split(";\n").filter(|sql| sql.contains(" drop constraint ")).collect();
            let dropped = filled(server, chain).await;
            for sql in prelude {
                dropped.execute(sql).await.unwrap();
            }
            let before = state(&dropped).await;
            database.execute(kind.violate).await.unwrap();
            let (migrator, told) = migrator(database.url(), 0);
            for _ in 0..2 {
                let error = migrator.up(chain, None).await.unwrap_err();
                let Error::Operation { sqlstate, message, help, .. } = &error else { panic!("{}: {error}", kind.name) };
                assert_eq!((sqlstate.as_deref(), message.as_str()), (Some(kind.sqlstate), kind.message), "{}", kind.name);
                assert!(help.ends_with("then run `up` again"), "{help}");
                assert_eq!(state(&database).await, before, "{}", kind.name);
            }
            assert!(told.lock().unwrap().len() >= 2, "{}", kind.name);
            database.execute(kind.heal).await.unwrap();
            migrator.up(chain, None).await.unwrap();
            let plain = filled(server, chain).await;
            super::migrator(plain.url(), u64::MAX).0.up(chain, None).await.unwrap();
            assert_eq!(state(&database).await, state(&plain).await, "{}", kind.name);
        }
    }
}
