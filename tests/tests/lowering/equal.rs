//! The catalog is the same.

use super::{KINDS, chain_of, filled, migrator, state};
use migrate_runtime::DownTo;
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
            let evidence = summary.revisions[0].operations.iter().map(|operation| operation.evidence.as_str()).collect::<String>();
            assert!(evidence.contains("in phases: `") && evidence.contains("0 bytes is large; PostgreSQL 1"), "{evidence}");
            in_phases.down(chain, &DownTo::Steps(1)).await.unwrap();
            assert_eq!(phased.dump().await, before, "{}", kind.name);
        }
    }
}
