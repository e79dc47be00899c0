//! Two branches lock a revision each, git merges them, and nobody has to help it.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A package in a git repository of its own.
struct Project(PathBuf);

impl Project {
    fn new() -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("lock-merge-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        let project = Self(root);
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let runtime = workspace.join("migrate-runtime").display().to_string();
        // the same features and profiles as the workspace's, so that cargo takes the crates that are there already
        let manifest = format!(
            "[package]\nname = \"lock-merge\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n\
             migrate-runtime = {{ path = \"{runtime}\", default-features = false, features = [\"cli\", \"postgres\", \"sqlite\"] }}\n\n\
             [profile.dev]\ndebug = \"line-tables-only\"\n\n[profile.dev.package.\"*\"]\ndebug = false\n"
        );
        project.write("Cargo.toml", &manifest);
        project.write("src/main.rs", "mod migrations;\n\nmigrate_runtime::main!(migrations);\n");
        fs::copy(workspace.join("Cargo.lock"), project.0.join("Cargo.lock")).unwrap();
        project.git(&["init", "--quiet", "--initial-branch", "main"]);
        project
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn list(&self, modules: &[&str]) {
        let lines: String = modules.iter().flat_map(|module| ["    mod ", *module, ";\n"]).collect();
        self.write("src/migrations/mod.rs", &format!("//! The chain.\n\nmigrate_runtime::migrations! {{\n{lines}}}\n"));
    }

    fn migration(&self, module: &str, header: &str, up: &str) {
        let text = format!("use migrate_runtime::migration;\n\n#[migration({header})]\nmod step {{\n    up! {{ {up} }}\n}}\n");
        self.write(&format!("src/migrations/{module}.rs"), &text);
    }

    fn git(&self, arguments: &[&str]) {
        let settings = ["-c", "user.name=Nobody", "-c", "user.email=nobody@example.org", "-c", "commit.gpgsign=false"];
        let mut git = Command::new("git");
        git.current_dir(&self.0).args(settings).args(arguments).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        let output = git.output().expect("git can be run");
        assert!(output.status.success(), "git {arguments:?}: {}", text(&output));
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
    }

    /// Runs the project's own command line, which has to be compiled first.
    fn migrate(&self, arguments: &[&str]) -> Output {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(&self.0).args(["run", "--quiet", "--offline", "--color", "never", "--"]).args(arguments);
        cargo.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap()).env_remove("DATABASE_URL");
        cargo.output().expect("cargo can be run")
    }

    fn lock(&self) {
        let output = self.migrate(&["lock"]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn branches_that_lock_different_revisions_are_merged_by_git() {
    let project = Project::new();
    project.write(".gitignore", "Cargo.lock\n");
    project.migration("m0001_users", r#"revision = "a1""#, "create table users (id bigint primary key);");
    project.list(&["m0001_users"]);
    let output = project.migrate(&["lock", "--check"]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(text(&output).contains("not locked: m0001_users (a1)\n0 of 1 revisions are locked in "), "{}", text(&output));
    project.lock();
    assert_eq!(project.read("src/migrations/.gitattributes"), "migrations.lock merge=union\n");
    project.commit("Create users");

    project.git(&["checkout", "--quiet", "-b", "reviews"]);
    project.migration("m0002_reviews", r#"revision = "b2", parent = "a1""#, "create table reviews (id bigint primary key);");
    project.list(&["m0002_reviews", "m0001_users"]);
    project.lock();
    project.commit("Create reviews");

    project.git(&["checkout", "--quiet", "main"]);
    project.migration("m0003_posts", r#"revision = "c3", parent = "a1""#, "create table posts (id bigint primary key); drop table posts;");
    project.list(&["m0001_users", "m0003_posts"]);
    project.lock();
    project.commit("Create posts and think better of it");

    project.git(&["merge", "--quiet", "--message", "Merge reviews", "reviews"]);
    let merged = project.read("src/migrations/migrations.lock");
    assert!(["a1 up=1", "b2 up=1", "c3 up=2"].iter().all(|head| merged.contains(head)), "{merged}");
    project.migration("m0004_merge", r#"revision = "d4", parents = ["b2", "c3"]"#, "");
    project.list(&["m0002_reviews", "m0001_users", "m0003_posts", "m0004_merge"]);
    let output = project.migrate(&["lock", "--check", "--format", "json"]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["missing"], serde_json::json!([{ "revision": "d4", "name": "m0004_merge", "operations": 0, "outdated": false }]));
    project.lock();
    let locked = project.read("src/migrations/migrations.lock");
    assert_eq!(locked.lines().filter(|line| line.starts_with('#')).count(), 2, "{locked}");
    let output = project.migrate(&["lock", "--check"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));

    // another layout is no other migration
    project.migration("m0002_reviews", r#"revision = "b2", parent = "a1""#, "\n// said\ncreate table reviews(id int8\nprimary key);");
    assert_eq!(project.migrate(&["lock", "--check"]).status.code(), Some(0));
    project.migration("m0002_reviews", r#"revision = "b2", parent = "a1""#, "create table reviews (id uuid primary key);");
    let output = text(&project.migrate(&["lock", "--check"]));
    assert!(output.contains("this is not what `migrations.lock` has as operation 1"), "{output}");
    assert!(output.contains("m0002_reviews.rs"), "{output}");
}
