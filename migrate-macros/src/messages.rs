//! Every message of the language's front end, by name.

use migrate_core::lock::{FILE, LockProblem};
use migrate_core::ops::BatchSizeProblem;

use crate::nearest::nearest;
use crate::report::{Place, Report};

/// Spelling: what Rust's lexer admits and SQL does not.
impl Report {
    pub fn single_quotes(&mut self, at: Place, spelling: &str, content: &str) {
        self.problem(
            at,
            format!("`{spelling}` is not a string in Rust tokens"),
            Some(format!("write strings with double quotes: `\"{content}\"`")),
        );
    }

    pub fn byte_literal(&mut self, at: Place, spelling: &str) {
        self.problem(
            at,
            format!("`{spelling}` is a single byte, which SQL does not have"),
            Some("write a byte string for `bytea`, such as `b\"\\x00\"`, or a number".to_owned()),
        );
    }

    pub fn c_string(&mut self, at: Place) {
        self.problem(at, "a C string has no meaning in SQL", Some("write the string without the `c` in front".to_owned()));
    }

    pub fn nul_character(&mut self, at: Place) {
        self.problem(
            at,
            "PostgreSQL cannot store the character `\\0` in a text or a name",
            Some("leave the character out, or write a byte string `b\"…\"` for `bytea`".to_owned()),
        );
    }

    pub fn literal_suffix(&mut self, at: Place, literal: &str, suffix: &str) {
        let sql_type = match suffix {
            "i16" => Some("smallint"),
            "i32" => Some("integer"),
            "i64" => Some("bigint"),
            "f32" => Some("real"),
            "f64" => Some("double precision"),
            _ => None,
        };
        let help = match sql_type {
            Some(sql_type) => format!("write `{literal}`, or cast it: `{literal}::{sql_type}`"),
            None => format!("write `{literal}`"),
        };
        self.problem(at, format!("`{suffix}` after a literal has no meaning in SQL"), Some(help));
    }

    pub fn escape_string(&mut self, at: Place, prefix: &str) {
        self.problem(
            at,
            format!("`{prefix}` would apply escapes to a string that Rust has already unescaped"),
            Some(format!("leave `{prefix}` out: every string takes Rust's escapes, such as `\\n` and `\\u{{e9}}`")),
        );
    }

    pub fn sql_comment(&mut self, at: Place) {
        self.problem(at, "`--` does not start a comment in Rust tokens", Some("write comments with `//`".to_owned()));
    }

    pub fn dollar_quote(&mut self, at: Place, tag: &str) {
        self.problem(
            at,
            format!("`${tag}$` does not start a string in Rust tokens"),
            Some("write the body as a raw string: `r#\"begin … end\"#`".to_owned()),
        );
    }

    pub fn empty_identifier(&mut self, at: Place) {
        self.problem(at, "a quoted name needs at least one character", None);
    }

    pub fn inner_attribute(&mut self, at: Place) {
        self.problem(
            at,
            "an inner attribute has no meaning among statements",
            Some("write `#[…]` before the statement it is for".to_owned()),
        );
    }

    pub fn attribute_inside_statement(&mut self, at: Place) {
        self.problem(
            at,
            "an attribute cannot stand inside a statement",
            Some("write it before the first word of the statement".to_owned()),
        );
    }

    pub fn braces_inside_statement(&mut self, at: Place) {
        self.problem(at, "SQL has no braces", Some("write `(…)` for a list and `r#\"…\"#` for the body of a function".to_owned()));
    }
}

/// Statements and their attributes.
impl Report {
    pub fn unknown_attribute(&mut self, at: Place, name: &str) {
        self.problem(
            at,
            format!("`#[{name}]` has no meaning on a statement"),
            Some("write `#[allow(lint, reason = \"…\")]` or `#[as_written]`, or remove it".to_owned()),
        );
    }

    pub fn as_written_anyway(&mut self, at: Place, why: &str) {
        self.problem(at, format!("`#[as_written]` changes nothing here: {why}"), Some("leave it out".to_owned()));
    }

    pub fn attribute_without_statement(&mut self, at: Place) {
        self.problem(at, "there is no statement after this attribute", Some("remove it".to_owned()));
    }

    pub fn malformed_allow(&mut self, at: Place) {
        self.problem(at, "`allow` takes names of lints and a reason", Some("write `#[allow(lint, reason = \"…\")]`".to_owned()));
    }

    pub fn allow_without_lint(&mut self, at: Place) {
        self.problem(at, "`allow` names no lint", Some("write the lint before the reason".to_owned()));
    }

    pub fn allow_without_reason(&mut self, at: Place) {
        self.problem(at, "`allow` gives no reason", Some("add `reason = \"…\"` for the next reader of this migration".to_owned()));
    }

    pub fn include_without_path(&mut self, at: Place) {
        self.problem(
            at,
            "`include` needs the path of an SQL file",
            Some("write `include \"schema/production.sql\";`, relative to this file".to_owned()),
        );
    }

    pub fn run_without_function(&mut self, at: Place) {
        self.problem(
            at,
            "`run` needs the path of an async function",
            Some("write `run backfill_titles;` and define `async fn backfill_titles` in this module".to_owned()),
        );
    }

    pub fn expected_semicolon(&mut self, at: Place, construct: &str) {
        self.problem(at, format!("expected `;` after `{construct} …`"), Some("end the statement before it".to_owned()));
    }

    pub fn assert_without_message(&mut self, at: Place) {
        self.problem(
            at,
            "`assert` needs a message that says what must be true",
            Some("write `assert \"every title is set\" select …;`".to_owned()),
        );
    }

    pub fn assert_without_query(&mut self, at: Place) {
        self.problem(at, "`assert` needs a query after its message", Some("write a `select` that returns one boolean".to_owned()));
    }

    pub fn if_exists_without_table(&mut self, at: Place) {
        self.problem(at, "`if` asks only whether a table exists", Some("write `if exists table name { … }`".to_owned()));
    }

    pub fn if_exists_without_body(&mut self, at: Place) {
        self.problem(at, "`if exists table` needs statements in braces", Some("write `if exists table name { … }`".to_owned()));
    }

    pub fn unknown_dialect(&mut self, at: Place, name: &str) {
        let help = match nearest(name, &["sqlite", "postgres"]) {
            Some(nearest) => format!("write `{nearest} {{ … }}`"),
            None => "write `sqlite { … }` or `postgres { … }`".to_owned(),
        };
        self.problem(at, format!("`{name}` is not a dialect"), Some(help));
    }

    pub fn run_without_batches(&mut self, at: Place) {
        self.problem(
            at,
            "`run … in batches` needs their size and a table",
            Some("write `run function in batches of 1000 over table;`".to_owned()),
        );
    }

    pub fn wrong_batch_size(&mut self, at: Place, problem: BatchSizeProblem) {
        let (message, help) = problem.text();
        self.problem(at, message, Some(help));
    }

    pub fn step_in_declaration(&mut self, at: Place, step: &str, block: &str) {
        self.problem(
            at,
            format!("`{step}` has no place in `{block}!`, which declares tables and runs nothing"),
            Some("move it to `up!`".to_owned()),
        );
    }
}

/// The module and its attribute.
impl Report {
    pub fn missing_revision(&mut self, at: Place) {
        self.problem(at, "the migration has no revision", Some("write `#[migration(revision = \"…\", parent = \"…\")]`".to_owned()));
    }

    pub fn empty_revision(&mut self, at: Place) {
        self.problem(at, "a revision needs at least one character", None);
    }

    pub fn revision_with_blanks(&mut self, at: Place) {
        self.problem(at, "a revision cannot contain blanks or control characters", Some("write letters, digits, `_` and `-`".to_owned()));
    }

    pub fn duplicate_argument(&mut self, at: Place, name: &str) {
        self.problem(at, format!("`{name}` is given twice"), Some("remove one of them".to_owned()));
    }

    pub fn unknown_argument(&mut self, at: Place, name: &str, known: &[&str]) {
        let help = match nearest(name, known) {
            Some(nearest) => format!("write `{nearest}`"),
            None => format!("the arguments are {}", list(known)),
        };
        self.problem(at, format!("`{name}` is not an argument of `migration`"), Some(help));
    }

    pub fn malformed_argument(&mut self, at: Place) {
        self.problem(at, "expected an argument", Some("write `name = \"…\"`, separated by commas".to_owned()));
    }

    pub fn argument_without_value(&mut self, at: Place, name: &str) {
        self.problem(at, format!("`{name}` needs a string"), Some(format!("write `{name} = \"…\"`")));
    }

    pub fn malformed_parents(&mut self, at: Place) {
        self.problem(
            at,
            "`parents` needs a list of strings",
            Some("write `parents = [\"…\", \"…\"]`, and nothing at all for the first migration".to_owned()),
        );
    }

    pub fn duplicate_parent(&mut self, at: Place, revision: &str) {
        self.problem(at, format!("`{revision}` is listed twice as a parent"), Some("remove one of them".to_owned()));
    }

    pub fn parent_and_parents(&mut self, at: Place) {
        self.problem(at, "`parent` and `parents` exclude each other", Some("list all of them in `parents`".to_owned()));
    }

    pub fn not_a_module(&mut self, at: Place) {
        self.problem(at, "`#[migration]` goes on a module", Some("write `mod name { up! { … } }` below it".to_owned()));
    }

    pub fn module_without_body(&mut self, at: Place, name: &str) {
        self.problem(
            at,
            format!("`mod {name};` has no body that the macro can see"),
            Some(format!("write `#[migration(…)] mod {name} {{ … }}` in the file itself")),
        );
    }

    pub fn missing_up(&mut self, at: Place, module: &str) {
        self.problem(at, format!("the migration `{module}` has no `up!`"), Some("add `up! { … }`".to_owned()));
    }

    pub fn duplicate_block(&mut self, at: Place, name: &str) {
        self.problem(at, format!("a second `{name}!` in the same migration"), Some(format!("write all its statements in one `{name}!`")));
    }

    pub fn down_and_irreversible(&mut self, at: Place) {
        self.problem(at, "a migration with `down!` is not irreversible", Some("remove one of the two".to_owned()));
    }

    pub fn irreversible_without_reason(&mut self, at: Place) {
        self.problem(at, "`irreversible!` gives no reason", Some("write `irreversible!(\"why it cannot be undone\");`".to_owned()));
    }

    pub fn unknown_block(&mut self, at: Place, name: &str, known: &[&str]) {
        let help = match nearest(name, known) {
            Some(nearest) => format!("write `{nearest}!`"),
            None => format!("the blocks are {}; call other macros by a path", list(known)),
        };
        self.problem(at, format!("`{name}!` is not a block of a migration"), Some(help));
    }

    pub fn attribute_on_block(&mut self, at: Place, name: &str) {
        self.problem(
            at,
            format!("an attribute has no meaning on `{name}!`"),
            Some("write it before a statement or on the module".to_owned()),
        );
    }

    pub fn malformed_list(&mut self, at: Place) {
        self.problem(at, "`migrations!` lists modules", Some("write `mod name;` for each migration".to_owned()));
    }

    pub fn malformed_dialects(&mut self, at: Place) {
        self.problem(at, "`dialects` takes a list of names", Some("write `dialects: [postgres, sqlite];`".to_owned()));
    }

    pub fn unknown_dialect_of_chain(&mut self, at: Place, name: &str) {
        let help = match nearest(name, &["sqlite", "postgres"]) {
            Some(nearest) => format!("write `{nearest}`"),
            None => "the dialects are `postgres` and `sqlite`".to_owned(),
        };
        self.problem(at, format!("`{name}` is not a dialect"), Some(help));
    }

    pub fn duplicate_dialects(&mut self, at: Place) {
        self.problem(at, "`dialects` is given twice", Some("write all of them in one list".to_owned()));
    }

    pub fn module_without_semicolon(&mut self, at: Place, name: &str) {
        self.problem(
            at,
            format!("`mod {name}` is not followed by `;`"),
            Some(format!("write `mod {name};` and its content in a file of its own")),
        );
    }

    pub fn duplicate_module(&mut self, at: Place, name: &str) {
        self.problem(at, format!("`{name}` is listed twice"), Some("remove one of them".to_owned()));
    }
}

/// The chain.
impl Report {
    pub fn unreadable(&mut self, at: Place, error: &str) {
        self.problem(at, error, Some("make the file readable, or remove it".to_owned()));
    }

    pub fn unknown_parent(&mut self, at: Place, parent: &str, nearest: Option<&str>, unreadable: Option<&str>) {
        let help = match (nearest, unreadable) {
            (Some(nearest), _) => format!("did you mean `{nearest}`?"),
            (None, Some(error)) => format!("one of the files beside this one can't be read: {error}"),
            (None, None) => "name the revision of a migration in this folder, or leave `parent` out for the first one".to_owned(),
        };
        self.problem(at, format!("no migration has the revision `{parent}`"), Some(help));
    }

    pub fn duplicate_revision(&mut self, at: Place, revision: &str, other: &str, line: u32) {
        let help = "give this migration a revision of its own".to_owned();
        self.problem(at, format!("the revision `{revision}` exists already\nnote: it is that of `{other}`, line {line}"), Some(help));
    }

    pub fn unsupported(&mut self, at: Place, message: &str, help: &str) {
        self.problem(at, format!("{message}\nnote: `migrations!` has `sqlite` among the dialects of this chain"), Some(help.to_owned()));
    }

    pub fn no_inverse(&mut self, at: Place, message: &str, reason: &str) {
        let help = "write `down! { … }`, or `irreversible!(\"reason\")`".to_owned();
        self.problem(at, format!("{message}: {reason}"), Some(help));
    }

    pub fn unlisted(&mut self, at: Place, file: &str, module: &str) {
        self.problem(at, format!("`{file}` has a migration, but is not in this list"), Some(format!("add `mod {module};`")));
    }

    pub fn no_migration_in(&mut self, at: Place, module: &str) {
        let help = format!("write `#[migration(…)] mod name {{ up! {{ … }} }}` into `{module}.rs`");
        self.problem(at, format!("there is no migration in `{module}`"), Some(help));
    }

    pub fn several_heads(&mut self, at: Place, heads: &[String], revisions: &[String], notes: &[String]) {
        let notes = notes.iter().flat_map(|note| ["\nnote: ", note.as_str()]).collect::<String>();
        let parents: Vec<String> = revisions.iter().map(|revision| format!("\"{revision}\"")).collect();
        self.problem(
            at,
            format!("the chain has {} heads: {}{notes}", heads.len(), heads.join(", ")),
            Some(format!(
                "give one of them the other as its parent, or merge them: `#[migration(revision = \"…\", parents = [{}])]`",
                parents.join(", ")
            )),
        );
    }

    pub fn cycle(&mut self, at: Place, members: &[String]) {
        self.problem(
            at,
            format!("these migrations come before themselves: {}", members.join(", ")),
            Some("correct the `parent` of one of them".to_owned()),
        );
    }
}

/// The names in Rust steps.
impl Report {
    pub fn gone_at_some_run(&mut self, at: Place, what: &str) {
        let help = "put the step that speaks of it into a migration of its own".to_owned();
        self.problem(at, format!("{what} is there at one `run` of this migration, but not at every one"), Some(help));
    }

    pub fn gone_at_run(&mut self, at: Place, what: &str, note: Option<&str>, nearest: Option<&str>) {
        let note = note.map(|note| format!("\nnote: {note}")).unwrap_or_default();
        let help = match nearest {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => "`schema` has the tables and columns that are there when the `run` step is reached".to_owned(),
        };
        self.problem(at, format!("there is no {what} at this `run`{note}"), Some(help));
    }
}

/// The lock.
impl Report {
    pub fn locked_operation_changed(&mut self, at: Place, revision: &str, message: &str, was: &str, now: &str) {
        let now = if was == now { "the same with other details".to_owned() } else { now.to_owned() };
        self.problem(at, format!("{message}\nnote: locked: {was}\nnote: now: {now}"), Some(locked_help(revision)));
    }

    pub fn locked_operation_added(&mut self, at: Place, revision: &str, message: &str) {
        self.problem(at, message, Some(locked_help(revision)));
    }

    pub fn locked_operation_removed(&mut self, at: Place, revision: &str, number: &str, was: &str) {
        self.problem(at, format!("{number} is gone since the migration was locked\nnote: it was: {was}"), Some(locked_help(revision)));
    }

    pub fn lock_problem(&mut self, at: Place, problem: &LockProblem) {
        self.problem(at, format!("`{FILE}` can't be relied on: {problem}"), Some(problem.help()));
    }

    pub fn locked_stranger(&mut self, at: Place, revision: &str) {
        let help = format!("bring its migration back; or, if no database has run it, remove the lines of `{revision}` from the file");
        self.problem(at, format!("`{FILE}` has the revision `{revision}`, which isn't in this chain"), Some(help));
    }
}

fn locked_help(revision: &str) -> String {
    format!(
        "take the edit back and write a new migration for it; or, if no database has run `{revision}` yet, remove its lines from \
         `{FILE}` and run `migrate lock`"
    )
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Lints.
impl Report {
    pub fn unknown_list_attribute(&mut self, at: Place, name: &str) {
        let help = "write `#![allow(lint, reason = \"…\")]`, `#![warn(lint)]` or `#![deny(lint)]`".to_owned();
        self.problem(at, format!("a list of migrations has no attribute `{name}`"), Some(help));
    }

    pub fn unknown_lint(&mut self, at: Place, lint: &str, nearest: Option<&str>) {
        let help = match nearest {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => "`LINTS.md` of the project lists them all".to_owned(),
        };
        self.problem(at, format!("there is no lint `{lint}`"), Some(help));
    }

    pub fn unused_allow(&mut self, at: Place, lint: &str) {
        let help = Some("leave it out".to_owned());
        self.problem(at, format!("`{lint}` has nothing to say about this statement"), help);
    }
}
