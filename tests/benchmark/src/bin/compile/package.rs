//! Two packages in a workspace of their own, and what `cargo check` of them costs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4;

use crate::chain::{self, Link};

/// Calls the compiler for cargo, and lets it show expanded code: it shows that to nobody but its own nightlies, unless it
/// is told to. Told to all packages, it would compile what they depend on anew.
pub fn wrap(compiler: &str, arguments: &[String]) {
    let status = Command::new(compiler).args(arguments).env("RUSTC_BOOTSTRAP", "1").status().unwrap();
    std::process::exit(status.code().unwrap_or(1));
}

/// What the compiler is given.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Package {
    /// The chain.
    Chain,
    /// The same modules without macros.
    Plain,
}

impl Package {
    fn name(self) -> &'static str {
        match self {
            Self::Chain => "chain",
            Self::Plain => "plain",
        }
    }
}

/// What a command cost, with all that it started.
#[derive(Clone, Copy)]
pub struct Cost {
    pub wall: Duration,
    /// The time of the processors: what other programs of the machine hardly change.
    pub processor: Duration,
    /// The most memory that one of its processes had, in bytes.
    pub memory: u64,
}

/// The folder of both packages.
pub struct Workspace {
    folder: PathBuf,
    edits: usize,
}

impl Workspace {
    /// Makes the workspace, and compiles what the packages depend on. What an earlier run has compiled is used again.
    /// The macros are compiled as the README says, or as cargo does if nobody says anything.
    pub fn create(folder: PathBuf, optimized: bool) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
        fs::create_dir_all(&folder).unwrap();
        let profile = if optimized { "\n[profile.dev.build-override]\nopt-level = 1\n" } else { "" };
        let manifest = format!("[workspace]\nresolver = \"3\"\nmembers = [\"chain\", \"plain\"]\n{profile}");
        fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        // the same versions as everything else here
        if !folder.join("Cargo.lock").exists() {
            fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        }
        let workspace = Self { folder, edits: 0 };
        for package in [Package::Chain, Package::Plain] {
            let manifest = format!(
                "[package]\nname = {:?}\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n[dependencies]\n\
                 migrate-runtime = {{ path = {:?}, default-features = false, features = [\"postgres\"] }}\n",
                package.name(),
                root.join("migrate-runtime").to_string_lossy()
            );
            workspace.write(package, "../Cargo.toml", &manifest);
            workspace.write(package, "lib.rs", "");
        }
        // what both depend on, once
        workspace.check(Package::Chain);
        workspace.check(Package::Plain);
        workspace
    }

    /// Makes both packages as long as that.
    pub fn fill(&self, length: usize) {
        for package in [Package::Chain, Package::Plain] {
            let _ = fs::remove_dir_all(self.source(package));
            self.write(package, "lib.rs", "//! A library.\npub mod migrations;\npub mod other;\n");
            self.write(package, "other.rs", "//! Nothing about migrations.\n");
            let (list, file): (String, fn(Link) -> String) = match package {
                Package::Chain => (chain::list_with_macros(length), Link::with_macros),
                Package::Plain => (chain::list_without_macros(length), Link::without_macros),
            };
            self.write(package, "migrations/mod.rs", &format!("//! The chain.\n{list}"));
            for link in (0..length).map(Link) {
                self.write(package, &format!("migrations/{}.rs", link.module()), &file(link));
            }
        }
    }

    /// `cargo check` of a package of which nothing has been compiled.
    pub fn check_anew(&self, package: Package) -> Cost {
        let prefix = format!("{}-", package.name());
        for entry in fs::read_dir(self.folder.join("target/debug/incremental")).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                fs::remove_dir_all(entry.path()).unwrap();
            }
        }
        let root = self.source(package).join("lib.rs");
        fs::write(&root, fs::read(&root).unwrap()).unwrap();
        self.check(package)
    }

    /// `cargo check` after an edit of one file: a comment, so that the compiler has nothing else to do.
    pub fn check_after_edit(&mut self, package: Package, file: &str) -> Cost {
        self.edits += 1;
        let path = self.source(package).join(file);
        let text = fs::read_to_string(&path).unwrap();
        let text = text.split("// edit").next().unwrap_or_default();
        fs::write(&path, format!("{text}// edit {}\n", self.edits)).unwrap();
        self.check(package)
    }

    /// What the compiler sees of a package when all macros are expanded.
    pub fn expanded(&self, package: Package) -> String {
        let mut cargo = self.cargo("rustc", package);
        cargo.args(["--lib", "--profile=check", "--", "-Zunpretty=expanded"]);
        cargo.env("RUSTC_WORKSPACE_WRAPPER", std::env::current_exe().unwrap());
        let output = cargo.stderr(Stdio::inherit()).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    }

    fn check(&self, package: Package) -> Cost {
        let began = Instant::now();
        let child = self.cargo("check", package).spawn().unwrap();
        let used = child.wait4().unwrap();
        assert!(used.status.success(), "cargo check of {} failed", package.name());
        Cost { wall: began.elapsed(), processor: used.rusage.utime + used.rusage.stime, memory: used.rusage.maxrss }
    }

    fn cargo(&self, command: &str, package: Package) -> Command {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args([command, "--quiet", "--package", package.name()]).current_dir(&self.folder);
        cargo.env("CARGO_TARGET_DIR", self.folder.join("target")).env_remove("RUSTFLAGS");
        cargo
    }

    fn source(&self, package: Package) -> PathBuf {
        self.folder.join(package.name()).join("src")
    }

    fn write(&self, package: Package, file: &str, text: &str) {
        let path = self.source(package).join(file);
        fs::create_dir_all(self.source(package)).unwrap();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}
