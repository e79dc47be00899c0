//! Nothing of a server is left behind, however the process ends that started it.

use std::env;
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use migrate_tests::{Server, URL_VARIABLE};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

const LIMIT: Duration = Duration::from_secs(20);

/// A `test-server` whose command says where the server is and then waits for the end of its input.
struct Client {
    process: Child,
    /// Not left in the process, since waiting for that would close it.
    input: Option<ChildStdin>,
    address: String,
    directory: PathBuf,
    server_id: Pid,
}

impl Client {
    fn start() -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_test-server"))
            .args(["sh", "-c", "echo $MIGRATE_TEST_PG_URL $MIGRATE_TEST_PG_LOG; exec cat >/dev/null"])
            .env_remove(URL_VARIABLE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (url, log) = line.trim().split_once(' ').expect("a URL and a log");
        let url = url::Url::parse(url).unwrap();
        let directory = PathBuf::from(log).parent().unwrap().to_owned();
        let pid_file = fs::read_to_string(directory.join("data/postmaster.pid")).unwrap();
        let server_id = Pid::from_raw(pid_file.lines().next().unwrap().parse().unwrap()).unwrap();
        let client = Self {
            address: format!("{}:{}", url.host_str().unwrap(), url.port().unwrap()),
            input: process.stdin.take(),
            process,
            directory,
            server_id,
        };
        assert!(TcpStream::connect(&client.address).is_ok(), "the server is up");
        client
    }

    fn assert_nothing_is_left(&self) {
        let deadline = Instant::now() + LIMIT;
        while self.directory.exists() || test_kill_process(self.server_id).is_ok() {
            assert!(Instant::now() < deadline, "{} or its server is still there", self.directory.display());
            thread::sleep(Duration::from_millis(20));
        }
        assert!(TcpStream::connect(&self.address).is_err(), "the server still answers");
    }
}

#[test]
fn after_the_command_ended() {
    let mut client = Client::start();
    drop(client.input.take());
    assert_eq!(client.process.wait().unwrap().code(), Some(0));
    assert!(!client.directory.exists(), "the directory is gone when `test-server` is");
    client.assert_nothing_is_left();
}

#[test]
fn the_exit_code_is_the_commands() {
    let status = Command::new(env!("CARGO_BIN_EXE_test-server")).args(["sh", "-c", "exit 7"]).status().unwrap();
    assert_eq!(status.code(), Some(7));
}

#[test]
fn after_sigkill() {
    let mut client = Client::start();
    client.process.kill().unwrap();
    client.process.wait().unwrap();
    client.assert_nothing_is_left();
}

/// The signal must not get lost on a server that does not listen to signals yet.
#[test]
fn after_sigkill_while_it_starts() {
    let deadline = Instant::now() + LIMIT * 2;
    for delay in [0, 100, 200, 300, 400, 500, 600, 800, 1000] {
        let directory = env::temp_dir().join(format!("migrate-test-start-{}-{delay}", std::process::id()));
        fs::create_dir(&directory).unwrap();
        // As /tmp itself: the server's user may be another one.
        fs::set_permissions(&directory, Permissions::from_mode(0o1777)).unwrap();
        let clusters = || fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
        let mut process = Command::new(env!("CARGO_BIN_EXE_test-server"))
            .args(["sleep", "2"])
            .env("TMPDIR", &directory)
            .env_remove(URL_VARIABLE)
            .spawn()
            .unwrap();
        while !clusters().iter().any(|cluster| cluster.join("initdb.log").exists()) {
            assert!(Instant::now() < deadline, "initdb has not started");
            thread::sleep(Duration::from_millis(5));
        }
        thread::sleep(Duration::from_millis(delay));
        process.kill().unwrap();
        process.wait().unwrap();
        while !clusters().is_empty() {
            assert!(Instant::now() < deadline, "{:?} is still there", clusters());
            thread::sleep(Duration::from_millis(20));
        }
        fs::remove_dir(&directory).unwrap();
    }
}

#[test]
fn after_sigterm_and_sigint() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let mut client = Client::start();
        kill_process(Pid::from_child(&client.process), signal).unwrap();
        assert_eq!(client.process.wait().unwrap().code(), Some(code), "the command got the signal as well");
        client.assert_nothing_is_left();
    }
}

#[test]
fn a_dropped_server_is_gone() {
    let binaries = migrate_tests::binaries::ServerBinaries::find().unwrap();
    let server = Server::start_from(&binaries).unwrap();
    let directory = server.directory().unwrap().to_owned();
    assert!(directory.exists());
    drop(server);
    assert!(!directory.exists());
}

#[test]
fn a_test_without_a_server_fails_and_says_what_to_do() {
    let nowhere = Command::new(env!("CARGO_BIN_EXE_test-server"))
        .arg("true")
        .env_remove(URL_VARIABLE)
        .env("MIGRATE_TEST_PG_BIN", "/nonexistent")
        .output()
        .unwrap();
    assert_eq!(nowhere.status.code(), Some(1));
    let message = String::from_utf8(nowhere.stderr).unwrap();
    assert!(message.contains("`/nonexistent` has no `initdb`"), "{message}");
    assert!(message.contains("help: let `MIGRATE_TEST_PG_BIN` name"), "{message}");
}
