//! The password in a URL is nobody's business: not in an error, a log, a document, a help text or a plan.

use crate::process::{CHAIN, Migrate, Ran};
use migrate_tests::{Database, server};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

/// Every spelling of the password that may not turn up anywhere.
const SPELLINGS: [&str; 3] = ["hunter2", "hunter%32", "p@ss/hunter"];

fn assert_secret(what: &str, ran: &Ran) {
    for spelling in SPELLINGS {
        assert!(!ran.stdout.contains(spelling) && !ran.stderr.contains(spelling), "{what}: {ran:?}");
    }
}

#[test]
fn a_refused_connection() {
    let migrate = Migrate::new(CHAIN);
    for password in ["hunter2", "hunter%32", "p%40ss%2Fhunter2"] {
        let url = format!("postgres://app:{password}@127.0.0.1:1/shop");
        for command in [&["up"][..], &["status", "-vv"], &["check", "--format", "json"], &["stamp", "head"]] {
            let ran = migrate.at(&url).run(command);
            assert_secret(password, &ran);
            assert_eq!(ran.code, 1, "{ran:?}");
            assert!(ran.stderr.contains("can't connect to 127.0.0.1 port 1 database shop user app: "), "{ran:?}");
            let ran = migrate.run(&[command, &["--database-url", &url]].concat());
            assert_secret(password, &ran);
            assert_eq!(ran.code, 1, "{ran:?}");
        }
    }
}

#[test]
fn a_wrong_password() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || listener.incoming().take(2).map(|stream| refuse(&mut stream.unwrap())).collect::<Vec<_>>());
    let migrate = Migrate::new(CHAIN).at(&format!("postgres://app:p%40ss%2Fhunter2@127.0.0.1:{port}/shop?sslmode=disable"));
    for format in ["text", "json"] {
        let ran = migrate.run(&["up", "--format", format]);
        assert_secret(format, &ran);
        assert_eq!(ran.code, 1);
        let error =
            format!("can't connect to 127.0.0.1 port {port} database shop user app: password authentication failed for user \"app\"");
        assert!(ran.stderr.contains(&error), "{}", ran.stderr);
        assert!(ran.stderr.ends_with("now: nothing was changed\nhelp: check the password in the URL (or PGPASSWORD)\n"), "{}", ran.stderr);
    }
    assert_eq!(server.join().unwrap(), ["p@ss/hunter2", "p@ss/hunter2"], "the right password was sent");
}

/// A server that asks for a password and doesn't like it. Gives what it was told.
fn refuse(stream: &mut TcpStream) -> String {
    let message = |stream: &mut TcpStream, tagged: bool| {
        let mut tag = [0; 1];
        if tagged {
            stream.read_exact(&mut tag).unwrap();
        }
        let mut length = [0; 4];
        stream.read_exact(&mut length).unwrap();
        let mut body = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap() - 4];
        stream.read_exact(&mut body).unwrap();
        body
    };
    message(stream, false);
    stream.write_all(b"R\0\0\0\x08\0\0\0\x03").unwrap();
    let password = message(stream, true);
    let error = b"SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user \"app\"\0\0";
    let length = u32::try_from(error.len() + 4).unwrap().to_be_bytes();
    stream.write_all(&[b"E", &length[..], error].concat()).unwrap();
    String::from_utf8(password).unwrap().trim_end_matches('\0').to_owned()
}

#[test]
fn a_url_that_does_not_parse() {
    let migrate = Migrate::new(CHAIN);
    let urls = [
        "postgres://app:hunter2@127.0.0.1:notaport/shop",
        "postgres://app:hunter2@[::1/shop",
        "postgres://app:hunter2@/shop^:%%%",
        "postgres://app:12/hunter2@127.0.0.1/shop",
        "postgres://app:p@ss/hunter2@127.0.0.1:x/shop",
        "postgres://app:p@hunter2#x@127.0.0.1/shop",
        "postgres://app:p@hunter2?x@127.0.0.1/shop",
        "postgres:app:hunter2@127.0.0.1/shop",
        "postgres:/hunter2",
        "mysql://app:hunter2@127.0.0.1/shop",
        "app:hunter2@127.0.0.1/shop",
        "hunter2",
        "host=127.0.0.1 user=app password=hunter2 options=a:b",
        "password=hunter2&x:y",
        "postgres://app:hunter2@127.0.0.1:99999/shop",
        "postgres://app:hunter2@127.0.0.1:1/shop?sslmode=sometimes",
    ];
    for url in urls {
        for arguments in [&["up"][..], &["up", "-vv"], &["status", "--format", "json"]] {
            let ran = migrate.at(url).run(arguments);
            assert_secret(url, &ran);
            assert_eq!(ran.code, 2, "{url}: {ran:?}");
            assert!(ran.stderr.contains("help: write "), "{url}: {ran:?}");
        }
    }
}

#[test]
fn a_url_with_parameters() {
    let migrate = Migrate::new(CHAIN);
    for parameters in ["password=hunter2", "pasword=hunter2", "user=app&password=hunter%32", "x=hunter2#hunter2"] {
        let ran = migrate.at(&format!("postgres://127.0.0.1:1/shop?{parameters}")).run(&["up", "-vv"]);
        assert_secret(parameters, &ran);
        assert_eq!(ran.code, 1, "{ran:?}");
    }
}

#[test]
fn a_url_in_the_wrong_place() {
    let migrate = Migrate::new(CHAIN);
    let url = "postgres://app:hunter2@127.0.0.1:1/shop";
    let assigned = format!("--databaseurl={url}");
    let cases: [&[&str]; 9] = [
        &[url],
        &["up", url],
        &[url, "up"],
        &["up", "--to", url],
        &["stamp", url],
        &["up", "--database", url],
        &["up", &assigned],
        &["up", "--lock-timeout", url],
        &["up", "--database-url", url, "--database-url", url],
    ];
    for arguments in cases {
        for format in ["text", "json"] {
            let ran = migrate.at(url).run(&[arguments, &["--format", format]].concat());
            assert_secret(&format!("{arguments:?}"), &ran);
            assert!([1, 2].contains(&ran.code), "{arguments:?}: {ran:?}");
        }
    }
}

#[test]
fn the_help_has_the_variable_and_not_its_value() {
    let migrate = Migrate::new(CHAIN).at("postgres://app:hunter2@127.0.0.1:1/shop");
    let commands = ["up", "down", "status", "history", "current", "skipped", "plan", "stamp", "check", "completions"];
    let each = commands.iter().flat_map(|command| [vec![*command, "--help"], vec!["help", command]]);
    for arguments in each.chain([vec!["--help"], vec!["-h"], vec!["help"], vec!["completions", "bash"], vec!["completions", "zsh"]]) {
        let ran = migrate.run(&arguments);
        assert_secret(&format!("{arguments:?}"), &ran);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{arguments:?}");
        assert!(!ran.stdout.contains("app:") && ran.stdout.contains("database-url"), "{arguments:?}: {}", ran.stdout);
    }
}

#[tokio::test]
async fn what_works_does_not_tell_either() {
    let database = Database::create(server()).await;
    let mut url = url::Url::parse(database.url()).unwrap();
    url.set_password(Some("hunter2")).unwrap();
    let migrate = Migrate::new(CHAIN).at(url.as_str());
    let commands: [&[&str]; 8] =
        [&["plan"], &["plan", "--sql"], &["stamp", "b354d12d1e7d"], &["status"], &["check"], &["current"], &["history"], &["skipped"]];
    for command in commands {
        for extra in [&["-vv"][..], &["--format", "json"]] {
            let ran = migrate.run(&[command, extra].concat());
            assert_secret(&format!("{command:?}"), &ran);
            assert!([0, 3, 4].contains(&ran.code), "{command:?}: {ran:?}");
        }
    }
    let journal = database
        .text("select string_agg(runs::text, ' ') || (select string_agg(revisions::text, ' ') from _migrate.revisions) from _migrate.runs")
        .await;
    assert!(!journal.unwrap().contains("hunter2"));
}
