//! `migrate lock`: writes down what the migrations of a release do. Needs no database.

use super::failure::Failure;
use super::output::Output;
use crate::{Migration, Migrations};
use migrate_core::lock::{ATTRIBUTES, FILE, Lock, LockedRevision, differences, read};
use serde::Serialize;
use serde_json::json;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// A revision that isn't in the lock, or not in this version of the checksum.
#[derive(Debug, Serialize)]
struct Missing {
    revision: &'static str,
    name: &'static str,
    operations: usize,
    /// Whether it is locked in a version of the checksum that can't be compared any more.
    outdated: bool,
}

/// Locks what isn't locked, or only says what that is, and gives the exit code.
pub(super) fn run(chain: Migrations, check: bool, output: &Output) -> Result<u8, Failure> {
    let folder = folder(chain)?;
    let path = folder.join(FILE);
    let mut lock = read_lock(&path)?;
    let missing = missing(chain, &mut lock, &path)?;
    let total = chain.migrations.len();
    let mut text = String::new();
    for row in &missing {
        let (name, revision, operations) = (row.name, row.revision, row.operations);
        let plural = if operations == 1 { "" } else { "s" };
        let _ = match (check, row.outdated) {
            (true, true) => writeln!(text, "locked by another version of this program: {name} ({revision})"),
            (true, false) => writeln!(text, "not locked: {name} ({revision})"),
            (false, _) => writeln!(text, "locked {name} ({revision}): {operations} operation{plural}"),
        };
    }
    if !check {
        write_atomically(&path, &lock.write(chain.migrations.iter().map(|migration| migration.revision)))?;
        add_attributes(&folder)?;
    }
    let what = if check { format!("{} of {total} revisions are locked in", total - missing.len()) } else { "wrote".to_owned() };
    let _ = if missing.is_empty() {
        writeln!(text, "all {total} revisions are locked in {}", path.display())
    } else {
        writeln!(text, "{what} {}", path.display())
    };
    output.text(&text);
    let rows = if check { "missing" } else { "locked" };
    output.document(&json!({ "file": path, "revisions": total, rows: missing }));
    Ok(if check && !missing.is_empty() { 3 } else { 0 })
}

/// Finds what isn't locked and locks it.
fn missing(chain: Migrations, lock: &mut Lock, path: &Path) -> Result<Vec<Missing>, Failure> {
    if let Some(stranger) = lock.revisions.keys().find(|revision| chain.find(revision).is_none()) {
        let what = format!("`{}` has the revision `{stranger}`, which isn't in this chain", path.display());
        return Err(failure(what, format!("build this program anew, or bring the migration of `{stranger}` back")));
    }
    let mut missing = Vec::new();
    for migration in chain.migrations.iter().copied() {
        let (up, down) = (migration.up_steps(), migration.down_steps().unwrap_or_default());
        let locked = lock.revisions.get(migration.revision);
        if let Some(locked) = locked.filter(|locked| locked.is_comparable()) {
            if !differences(locked, &up, &down).is_empty() {
                return Err(changed(migration, path));
            }
            continue;
        }
        let outdated = locked.is_some();
        missing.push(Missing { revision: migration.revision, name: migration.name, operations: up.len() + down.len(), outdated });
        lock.revisions.insert(migration.revision.to_owned(), LockedRevision::of(&up, &down));
    }
    Ok(missing)
}

fn changed(migration: &Migration, path: &Path) -> Failure {
    let what = format!("{} ({}) is not what `{}` has of it", migration.name, migration.revision, path.display());
    failure(what, "build this program anew: the compiler says which operation has changed".to_owned())
}

fn read_lock(path: &Path) -> Result<Lock, Failure> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Lock::default()),
        Err(error) => return Err(unusable("read", path, &error)),
    };
    read(&text).map_err(|problems| {
        let what: Vec<String> = problems.iter().map(|problem| format!("`{}` can't be relied on: {problem}", path.display())).collect();
        let help = problems.first().map(migrate_core::lock::LockProblem::help).unwrap_or_default();
        failure(what.join("\n"), help)
    })
}

fn failure(what: String, help: String) -> Failure {
    Failure::Lock { what, help }
}

fn unusable(verb: &str, path: &Path, error: &io::Error) -> Failure {
    failure(format!("can't {verb} `{}`: {error}", path.display()), "look at the permissions of the file and its folder".to_owned())
}

/// The folder of the list. The compiler names files relative to the folder that it was started in, which is the
/// workspace's: that of the package (`cargo run` tells it) or one above.
fn folder(chain: Migrations) -> Result<PathBuf, Failure> {
    let starts = [std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from), std::env::current_dir().ok()];
    let file = Path::new(chain.file);
    let found = find(file, chain.migrations.first().map(|migration| Path::new(migration.file)), starts.into_iter().flatten());
    found.and_then(|file| Some(file.parent()?.to_owned())).ok_or_else(|| {
        let what = match chain.file {
            "" => "this program doesn't know the file of its chain".to_owned(),
            file => format!("the sources of this program are not here: no `{file}` in this folder or one above it"),
        };
        failure(what, "run it in the folder of the project, as `cargo run` does".to_owned())
    })
}

/// The file, where both it and its `companion` are found.
fn find(file: &Path, companion: Option<&Path>, starts: impl Iterator<Item = PathBuf>) -> Option<PathBuf> {
    let is_root = |root: &Path| root.join(file).is_file() && companion.is_none_or(|companion| root.join(companion).is_file());
    if file.as_os_str().is_empty() {
        return None;
    }
    let roots: Vec<PathBuf> = starts.flat_map(|start| start.ancestors().map(Path::to_owned).collect::<Vec<_>>()).collect();
    roots.into_iter().find(|root| is_root(root)).map(|root| root.join(file))
}

/// Whoever reads the file meanwhile sees the old one or the new one.
fn write_atomically(path: &Path, text: &str) -> Result<(), Failure> {
    if std::fs::read_to_string(path).is_ok_and(|known| known == text) {
        return Ok(());
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let draft = path.with_file_name(name);
    let written = std::fs::File::create(&draft).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.and_then(|()| std::fs::rename(&draft, path)).map_err(|error| {
        // what is left of it says nothing to anybody
        let _ = std::fs::remove_file(&draft);
        unusable("write", path, &error)
    })
}

/// Tells git how to merge the lock.
fn add_attributes(folder: &Path) -> Result<(), Failure> {
    let path = folder.join(".gitattributes");
    let known = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(unusable("read", &path, &error)),
    };
    let says_so = |line: &str| {
        let mut words = line.split_whitespace();
        words.next() == Some(FILE) && words.any(|word| word.starts_with("merge"))
    };
    if known.lines().any(says_so) {
        return Ok(());
    }
    let end = if known.is_empty() || known.ends_with('\n') { "" } else { "\n" };
    write_atomically(&path, &format!("{known}{end}{ATTRIBUTES}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Down;

    const FIRST: &Migration = &Migration {
        revision: "a",
        parents: &[],
        name: "m1",
        file: "src/migrations/m1.rs",
        summary: "",
        checksum: "",
        up: r#"[{"action":{"assert":{"message":"it's\ntrue","query":"select true"}}}]"#,
        down: Down::Written("[]"),
        functions: &[],
        batch_functions: &[],
    };
    const SECOND: &Migration = &Migration { revision: "b", parents: &["a"], name: "m2", ..*FIRST };

    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("migrate-lock-{}-{name}", std::process::id()));
            let _ = std::fs::remove_dir_all(&path);
            std::fs::create_dir_all(path.join("package/src/migrations")).unwrap();
            Self(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn what_is_missing_is_locked_once() {
        let chain = Migrations::new(&[FIRST, SECOND]);
        let mut lock = Lock::default();
        lock.revisions.insert("a".into(), LockedRevision::of(&FIRST.up_steps(), &[]));
        let found = missing(chain, &mut lock, Path::new("x")).unwrap();
        assert_eq!(found.iter().map(|row| row.revision).collect::<Vec<_>>(), ["b"]);
        assert_eq!(missing(chain, &mut lock, Path::new("x")).unwrap().len(), 0);
        lock.revisions.get_mut("a").unwrap().version = "0".into();
        let found = missing(chain, &mut lock, Path::new("x")).unwrap();
        assert!(found[0].outdated && found.len() == 1, "{found:?}");
    }

    #[test]
    fn what_the_lock_has_otherwise_is_refused() {
        let mut lock = Lock::default();
        lock.revisions.insert("b".into(), LockedRevision::of(&[], &[]));
        let failure = |lock: &mut Lock, chain| format!("{:?}", missing(chain, lock, Path::new("x")).unwrap_err());
        assert!(failure(&mut lock, Migrations::new(&[FIRST, SECOND])).contains("m2 (b) is not what `x` has of it"));
        assert!(failure(&mut lock, Migrations::new(&[FIRST])).contains("isn't in this chain"));
    }

    #[test]
    fn the_sources_are_looked_for_upwards() {
        let scratch = Scratch::new("upwards");
        let list = Path::new("package/src/migrations/mod.rs");
        let starts = || [scratch.0.join("package/src"), scratch.0.join("nowhere")].into_iter();
        assert_eq!(find(list, None, starts()), None);
        std::fs::write(scratch.0.join(list), "").unwrap();
        assert_eq!(find(list, None, starts()), Some(scratch.0.join(list)));
        assert_eq!(find(list, Some(Path::new("package/src/migrations/m1.rs")), starts()), None);
        assert_eq!(find(&scratch.0.join(list), None, starts()), Some(scratch.0.join(list)));
        assert_eq!(find(Path::new(""), None, starts()), None);
    }

    #[test]
    fn git_is_told_once_and_nothing_else_is_lost() {
        let scratch = Scratch::new("attributes");
        let path = scratch.0.join(".gitattributes");
        add_attributes(&scratch.0).unwrap();
        add_attributes(&scratch.0).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "migrations.lock merge=union\n");
        std::fs::write(&path, "*.rs text").unwrap();
        add_attributes(&scratch.0).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "*.rs text\nmigrations.lock merge=union\n");
        assert_eq!(std::fs::read_dir(&scratch.0).unwrap().count(), 2, "no draft is left");
    }
}
