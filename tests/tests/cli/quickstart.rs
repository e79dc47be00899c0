//! The example that a person meets first.

use crate::process::{Directory, EMPTY, quickstart, steady};
use migrate_tests::{Database, server};

#[tokio::test]
async fn it_works_on_postgresql() {
    let database = Database::create(server()).await;
    let directory = Directory::new();
    let done = |arguments: &[&str]| {
        let ran = quickstart(&directory, arguments, Some(database.url()));
        // where the machine is busy an index may take so long that it is told how far it is
        let said: Vec<&str> = ran.stderr.lines().filter(|line| !line.starts_with("an index on ")).collect();
        assert_eq!((ran.code, said), (0, Vec::new()), "{arguments:?}: {}", ran.stdout);
        steady(&ran.stdout, &database)
    };
    let first = done(&["up"]);
    assert!(first.starts_with("applied m0001_books (3f1c09a7d2e4): 3 applied in TIME s\n"), "{first}");
    assert!(first.ends_with("\nat e90a16bd74c8 (m0004_titles)\n"), "{first}");
    let schema = database.dump().await;
    assert_eq!(done(&["up"]), "nothing to do: at e90a16bd74c8 (m0004_titles)\n");
    assert_eq!(done(&["check"]), "in sync: at e90a16bd74c8 (m0004_titles)\n");
    assert_eq!(
        done(&["down", "--steps", "1"]),
        "reverted m0004_titles (e90a16bd74c8): 5 reverted in TIME s\nat c7d40b83a5f6 (m0003_conditions)\n"
    );
    done(&["up"]);
    assert_eq!(database.dump().await, schema);
    done(&["down", "--base"]);
    assert_eq!(database.dump().await, EMPTY);
    done(&["up"]);
    assert_eq!(database.dump().await, schema);
    assert!(std::fs::read_dir(directory.path()).unwrap().next().is_none(), "nothing is left in the directory");
}
