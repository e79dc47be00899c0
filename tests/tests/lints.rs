//! What holds for every lint: its header is its page of the manual, a case shows what it finds, and the safe sequence
//! that it asks for is one that it doesn't find anything in.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use migrate_core::lints::{LINTS, Lint};
use migrate_tests::case::Case;
use similar::TextDiff;
use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The header of a lint: its first line without its name, then its headings with their text.
fn header(lint: &Lint) -> Result<(String, BTreeMap<String, String>), String> {
    let path = root().join(format!("migrate-core/src/lints/{}.rs", lint.name));
    let source = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let text: Vec<_> = source.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
    let text = text.join("\n");
    let (title, rest) = text.split_once("\n\n").ok_or("the header is a title, an empty line and a list")?;
    let title = title.replace('\n', " ");
    let title = title.strip_prefix(&format!("`{}`: ", lint.name)).ok_or("the title begins with the lint's name")?.to_owned();
    let mut headings = BTreeMap::new();
    for item in rest.split("- **").skip(1) {
        let (heading, text) = item.split_once("**: ").ok_or(format!("`{item}` is not a heading"))?;
        headings.insert(heading.to_owned(), text.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    if headings.keys().ne(["Blocks", "Finds", "Instead", "Source"].iter()) {
        return Err(format!("the headings are Finds, Blocks, Instead and Source, not {:?}", headings.keys()));
    }
    Ok((title, headings))
}

#[test]
fn the_headers_are_the_manual() {
    let mut manual = String::from(
        "# Lints\n\nWhat PostgreSQL accepts, and a running system or its people suffer from. A finding is a compile error, or a \
         warning where that is said.\n`#[allow(name, reason = \"…\")]` before a statement acknowledges it there; `#![allow(name, reason \
         = \"…\")]`, `#![warn(name)]` and\n`#![deny(name)]` at the top of `migrations! { }` hold for the whole chain. Tables that the \
         same migration creates are exempt\nfrom what blocks or breaks others, and those that it emptied from what takes long or \
         fails because of rows; migrations in\n`migrations.lock` are history and no longer judged.\n\nSome rules that other tools have are not here, because the engine sees to them: it sets \
         `lock_timeout` and the other timeouts\nfor each attempt (squawk's `require-timeout-settings`); it compares the catalog with the model \
         before each operation, so that\nrunning it again is safe without `if not exists` (`prefer-robust-stmts`); it alone begins and \
         commits transactions, and refuses\nto be told to (`transaction-nesting`, `ban-uncommitted-transaction`); it runs what can't be in a \
         transaction outside of one\n(`ban-concurrent-index-creation-in-transaction`); it does what would keep a large table locked while every row \
         is read in phases,\nwherever it can (the lints that remain of that say where it can't); a name that PostgreSQL would cut is an error of its own \
         (`identifier-too-long`);\nand a name without a schema means `public`, whatever the `search_path` of a session \
         (`require-table-schema`).\n\nThis page is made from the headers in `migrate-core/src/lints/` (`UPDATE_LINTS=1 cargo test -p migrate-tests \
         --test lints`).\n",
    );
    let mut wrong = Vec::new();
    for lint in LINTS {
        match header(lint) {
            Ok((title, headings)) => {
                let level = if lint.level == migrate_core::lints::Level::Deny { "" } else { " *(a warning)*" };
                let _ = write!(manual, "\n## {}{level}\n\n{title}\n\n", lint.name);
                for heading in ["Finds", "Blocks", "Instead", "Source"] {
                    let _ = writeln!(manual, "- **{heading}**: {}", headings[heading]);
                }
            }
            Err(error) => wrong.push(format!("{}: {error}", lint.name)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let path = root().join("LINTS.md");
    if env::var_os("UPDATE_LINTS").is_some_and(|value| value == "1") {
        fs::write(&path, &manual).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == manual, "LINTS.md is old:\n{}", TextDiff::from_lines(&written, &manual).unified_diff());
}

#[test]
fn a_case_shows_what_each_lint_finds_and_what_to_write_instead() {
    let mut wrong = Vec::new();
    for lint in LINTS {
        let folder = root().join("tests/cases/lints").join(lint.name);
        let files = Case::files(&folder).unwrap_or_default();
        let (mut found, mut safe) = (false, false);
        for file in files {
            let case = Case::read(&file).unwrap();
            let outcome = case.run().unwrap();
            let finds = outcome.lints.iter().any(|(name, _)| *name == lint.name);
            found |= finds;
            if let Some(instead) = &outcome.instead {
                let again = !instead.errors.is_empty() || instead.lints.iter().any(|(name, _)| *name == lint.name);
                if again {
                    wrong.push(format!("{}: its safe sequence is wrong or found, too", file.display()));
                }
                safe |= finds && !again;
            }
        }
        if !found {
            wrong.push(format!("{}: no case shows what it finds", lint.name));
        }
        let acknowledged = header(lint).is_ok_and(|(_, headings)| headings["Instead"].contains("acknowledge"));
        if found && !safe && !acknowledged {
            wrong.push(format!("{}: no case has a safe sequence", lint.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
