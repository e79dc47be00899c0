//! Besides the default server, these run on what `MIGRATE_TEST_PG_VERSIONS` names.

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use migrate_tests::binaries::ServerBinaries;
use migrate_tests::{Database, Server, StartError, VERSIONS_VARIABLE, VersionError, server_of_version, servers};

fn named() -> Vec<u32> {
    let named = env::var(VERSIONS_VARIABLE).unwrap_or_default();
    named.split_whitespace().map(|major| major.parse().unwrap()).collect()
}

#[tokio::test]
async fn a_version_that_was_asked_for_is_the_one_that_runs() {
    assert_eq!(servers().len(), 1 + named().len());
    for major in named() {
        let database = Database::create(server_of_version(major)).await;
        let number: u32 = database.text("show server_version_num").await.unwrap().parse().unwrap();
        assert_eq!(number / 10_000, major);
    }
}

#[tokio::test]
async fn the_log_is_read_on_every_version() {
    for server in servers() {
        let database = Database::create(server).await;
        database.execute("select 1 / 0").await.unwrap_err();
        assert!(database.log_contains_sqlstate("22012").await);
        assert!(!database.log_contains_sqlstate("25P02").await);
    }
}

#[test]
fn a_version_without_a_package_is_an_error() {
    let error = Server::start_version(9).unwrap_err();
    assert!(matches!(error, StartError::Version(VersionError::Unknown { major: 9 })), "{error}");
}

/// As where the source is in root's home: the server's own user may not go there. Only a package can be moved; Debian's
/// programs know where they were installed.
#[tokio::test]
async fn programs_that_the_servers_user_cannot_reach_are_copied() {
    for major in named() {
        let binaries = ServerBinaries::of_version(major).unwrap();
        if binaries.directory().starts_with("/usr") {
            continue;
        }
        let hidden = env::temp_dir().join(format!("migrate-test-hidden-{}-{major}", std::process::id()));
        let installation = binaries.directory().parent().unwrap();
        let copied = Command::new("cp").arg("-R").arg(installation).arg(&hidden).status().unwrap();
        assert!(copied.success());
        fs::set_permissions(&hidden, Permissions::from_mode(0o700)).unwrap();

        let started = Server::start_from(&ServerBinaries::at(hidden.join("bin")).unwrap());
        let server = started.unwrap();
        let database = Database::create(&server).await;
        assert_eq!(database.text("select 'works'").await.unwrap(), "works");
        drop(database);
        let directory = server.directory().unwrap().to_owned();
        drop(server);
        assert!(!directory.exists());
        fs::remove_dir_all(&hidden).unwrap();
    }
}
