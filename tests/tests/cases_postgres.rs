//! Runs every `.case` file on a real server: what is rendered runs, and the derived way back leaves the database as it
//! was.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use migrate_core::lower;
use migrate_core::operation::{Operate, Operation};
use migrate_core::schema::Origin;
use migrate_core::step::Action;
use migrate_core::verdict::advance;
use migrate_tests::case::{Case, Outcome};
use migrate_tests::{Database, server};
use similar::TextDiff;
use sqlx::{AssertSqlSafe, Executor, PgConnection};
use std::path::Path;

/// Cases after whose way back PostgreSQL prints something otherwise.
const EXCEPT: [(&str, &str); 2] = [
    ("comment_on/unmodelled.case", "a fresh database has a comment on `public` that no migration wrote"),
    ("rename_view/readers_follow.case", "PostgreSQL keeps an alias of the old name in the view that reads the renamed one"),
];

/// Runs statements one at a time: some can't be in a transaction, some need a commit before they are used.
async fn run(connection: &mut PgConnection, what: &str, statements: &[String]) -> Result<(), String> {
    for sql in statements {
        let result = connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.clone()))).await;
        result.map_err(|error| format!("{what}: `{sql}` does not run: {error}"))?;
    }
    Ok(())
}

/// The steps that the engine would send: those that change something. What is there already, or gone already, has the
/// verdict `after`.
fn sent(outcome: &Outcome) -> Vec<usize> {
    let mut model = outcome.before.clone();
    let mut sent = Vec::new();
    for (i, step) in outcome.steps.iter().enumerate() {
        let Action::Change(operation) = &step.action else { continue };
        let before = model.clone();
        let changes = advance(&mut model, operation, &Origin::default());
        // a role may lack what nobody granted
        let revokes = matches!(operation, Operation::Revoke(_)) && before == model;
        if changes.is_empty() || (changes.iter().any(|change| change.before != change.after) && !revokes) {
            sent.push(i);
        }
    }
    sent
}

fn render<'a>(operations: impl Iterator<Item = &'a Operation>) -> Vec<String> {
    operations.flat_map(Operation::render).collect()
}

async fn check(case: &Case) -> Result<bool, String> {
    let outcome = case.run().map_err(|error| error.to_string())?;
    if !outcome.errors.is_empty() {
        return Ok(false);
    }
    let database = Database::create(server()).await;
    let version = database.text("select (current_setting('server_version_num')::integer / 10000)::text").await.unwrap();
    if case.server.is_some_and(|since| version.parse().is_ok_and(|version: u32| version < since)) {
        return Ok(false);
    }
    let mut connection = database.connect().await;
    let base: Vec<String> = lower::parse(&case.base).unwrap_or_default().into_iter().map(|statement| statement.sql).collect();
    run(&mut connection, "base", &base).await?;
    let before = database.dump().await;
    let sent = sent(&outcome);
    let up = sent.iter().filter_map(|&i| match &outcome.steps[i].action {
        Action::Change(operation) => Some(operation),
        _ => None,
    });
    run(&mut connection, "sql up", &render(up)).await?;
    let Ok(down) = &outcome.down else { return Ok(true) };
    let down = down.iter().filter(|undo| sent.contains(&undo.step)).flat_map(|undo| &undo.operations);
    run(&mut connection, "sql down", &render(down)).await?;
    let after = database.dump().await;
    if before == after {
        return Ok(true);
    }
    Err(TextDiff::from_lines(&before, &after).unified_diff().header("before", "after up and down").to_string())
}

#[tokio::test]
async fn cases_run_and_are_undone() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let (mut failures, mut ran) = (Vec::new(), 0);
    for file in Case::files(&directory).unwrap() {
        let name = file.strip_prefix(&directory).unwrap_or(&file).display().to_string();
        if EXCEPT.iter().any(|(except, _)| *except == name) {
            continue;
        }
        match check(&Case::read(&file).unwrap()).await {
            Ok(true) => ran += 1,
            Ok(false) => {}
            Err(failure) => failures.push(format!("--- {name}\n{failure}")),
        }
    }
    assert!(failures.is_empty(), "{} cases fail, {ran} pass:\n\n{}", failures.len(), failures.join("\n"));
    assert!(ran >= 60, "only {ran} cases ran");
}
