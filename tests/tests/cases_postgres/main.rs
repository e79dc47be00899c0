//! Runs every `.case` file on real servers: what is rendered runs, does to a running system what its effects state, and
//! the derived way back leaves the database as it was.
//!
//! Each operation runs in a transaction of its own, and what the server shows of it is compared with its `Effects`, on the
//! way up and on the way down:
//!
//! - locks, from `pg_locks`, on every table and view that existed before; `AccessShareLock` may be left unstated, since
//!   whatever looks at a table takes it. Locks on sequences and indexes are compared where they are stated. What runs
//!   outside of a transaction is held up by another session, and its locks are read while it waits;
//! - rewrites, from `pg_relation_filenode` of each table and of what it keeps out of line;
//! - scans, from the sequential scans that the server counts for each table. Indexes are preferred where a query is
//!   planned, so that a lookup is none; what is stated to be read may be read through one. A partitioned table has no rows itself, and what is rewritten is read, too: both
//!   are left out, and before PostgreSQL 15 what runs outside of a transaction, whose counts come late;
//! - whether it may be in a transaction: what is stated `Outside` is refused with 25001, and a new value of an enum with
//!   55P04 until it is committed.
//!
//! Not compared: data loss and broken readers, which are about people; relations that the model knows by name only
//! (foreign and temporary tables); and all but the transaction where the effects are stated to be unknown.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod compare;
mod exceptions;
mod observe;
mod session;

use exceptions::{Exceptions, print_otherwise};
use migrate_core::lower;
use migrate_core::operation::{Operate, Operation};
use migrate_core::schema::{Origin, Schema};
use migrate_core::step::Action;
use migrate_core::verdict::advance;
use migrate_tests::case::{Case, Outcome};
use migrate_tests::{Database, Server, servers};
use session::Session;
use similar::TextDiff;
use std::collections::BTreeMap;
use std::path::Path;
use tokio::task::JoinSet;

/// The steps that the engine would send: those that change something, each with the model before it. What is there
/// already, or gone already, has the verdict `after`.
fn sent(outcome: &Outcome) -> Vec<(usize, Schema)> {
    let mut model = outcome.before.clone();
    let mut sent = Vec::new();
    for (i, step) in outcome.steps.iter().enumerate() {
        let Action::Change(operation) = &step.action else { continue };
        let before = model.clone();
        let changes = advance(&mut model, operation, &Origin::default());
        // a role may lack what nobody granted
        let revokes = matches!(operation, Operation::Revoke(_)) && before == model;
        if changes.is_empty() || (changes.iter().any(|change| change.before != change.after) && !revokes) {
            sent.push((i, before));
        }
    }
    sent
}

/// What a case showed on a server.
struct Shown {
    /// What was otherwise than stated: of an operation, each.
    differences: Vec<(String, String)>,
    /// How many operations were compared.
    compared: usize,
    /// How the database differs after up and down, if it does.
    leftovers: Option<String>,
}

impl Shown {
    async fn run(&mut self, session: &mut Session, operation: &Operation, model: &Schema) -> Result<(), String> {
        let effects = operation.effects(model);
        let differences = session.run(operation, model, &effects).await?;
        self.compared += usize::from(!effects.unknown);
        self.differences.extend(differences.into_iter().map(|difference| (operation.describe(), difference)));
        Ok(())
    }
}

/// `None`: the case isn't for this server.
async fn show(case: &Case, server: &Server, version: u32) -> Result<Option<Shown>, String> {
    let outcome = case.run().map_err(|error| error.to_string())?;
    if !outcome.errors.is_empty() || case.server.is_some_and(|since| version < since) {
        return Ok(None);
    }
    let database = Database::create(server).await;
    let mut session = Session::connect(&database).await;
    for statement in lower::parse(&case.base).unwrap_or_default() {
        session.execute(&statement.sql).await.map_err(|error| format!("base: `{}` does not run: {error}", statement.sql))?;
    }
    let before = database.dump().await;
    let mut shown = Shown { differences: Vec::new(), compared: 0, leftovers: None };
    let sent = sent(&outcome);
    for (i, model) in &sent {
        let Action::Change(operation) = &outcome.steps[*i].action else { continue };
        let ran = shown.run(&mut session, operation, model).await;
        if case.refused {
            return if ran.is_err() { Ok(Some(shown)) } else { Err("the server doesn't refuse it".to_owned()) };
        }
        ran.map_err(|error| format!("sql up: {error}"))?;
    }
    let Ok(down) = &outcome.down else { return Ok(Some(shown)) };
    let mut model = outcome.after.clone();
    for operation in down.iter().filter(|undo| sent.iter().any(|(i, _)| *i == undo.step)).flat_map(|undo| &undo.operations) {
        let mut operation = operation.clone();
        operation.bind(&model);
        shown.run(&mut session, &operation, &model).await.map_err(|error| format!("sql down: {error}"))?;
        operation.apply(&mut model, &Origin::default());
    }
    let after = database.dump().await;
    shown.leftovers =
        (before != after).then(|| TextDiff::from_lines(&before, &after).unified_diff().header("before", "after up and down").to_string());
    Ok(Some(shown))
}

/// How many cases run at once: each has a database of its own.
const AT_ONCE: usize = 4;

/// What went wrong on one server.
async fn failures_on(server: &'static Server, directory: &Path) -> Vec<String> {
    let version = Session::connect(&Database::create(server).await).await.version();
    let mut cases = JoinSet::new();
    let mut shown = BTreeMap::new();
    for file in Case::files(directory).unwrap() {
        let name = file.strip_prefix(directory).unwrap_or(&file).display().to_string();
        let case = Case::read(&file).unwrap();
        cases.spawn(async move { (name, show(&case, server, version).await) });
        if cases.len() == AT_ONCE {
            shown.extend(cases.join_next().await.transpose().unwrap());
        }
    }
    while let Some(case) = cases.join_next().await {
        shown.extend([case.unwrap()]);
    }

    let (mut failures, mut ran, mut compared) = (Vec::new(), 0, 0);
    let mut exceptions = Exceptions::on(version);
    for (name, shown) in shown {
        let failure = match shown {
            Ok(Some(shown)) => {
                ran += 1;
                compared += shown.compared;
                failure(&name, shown, &mut exceptions)
            }
            Ok(None) => continue,
            Err(failure) => format!("{failure}\n"),
        };
        if !failure.is_empty() {
            failures.push(format!("--- {name} on PostgreSQL {version}\n{failure}"));
        }
    }
    failures.extend(exceptions.unused().map(|exception| format!("--- no exception any more on PostgreSQL {version}: {exception}\n")));
    assert!(ran >= 200 || !failures.is_empty(), "only {ran} cases ran on PostgreSQL {version}");
    assert!(compared >= 700 || !failures.is_empty(), "only {compared} operations were compared on PostgreSQL {version}");
    failures
}

/// What a case showed that it shouldn't have; empty if nothing.
fn failure(name: &str, shown: Shown, exceptions: &mut Exceptions) -> String {
    let mut differences = shown.differences;
    differences.retain(|(operation, difference)| !exceptions.excuse(name, operation, difference));
    let differences = differences.into_iter().map(|(operation, difference)| format!("{operation}\n    {difference}\n"));
    let leftovers = match (shown.leftovers, print_otherwise(name)) {
        (Some(leftovers), None) => Some(leftovers),
        (None, Some(reason)) => Some(format!("it is undone, so it is no exception any more: {reason}\n")),
        _ => None,
    };
    differences.chain(leftovers).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cases_run_as_stated_and_are_undone() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut failures = Vec::new();
    for server in servers() {
        failures.extend(failures_on(server, &directory).await);
    }
    assert!(failures.is_empty(), "{} failures:\n\n{}", failures.len(), failures.join("\n"));
}
