//! Asks the server whether two expressions are the same.
//!
//! `explain (verbose)` prints the target list of a query as the planner sees it: names resolved, literals read by their
//! type, constants folded. What is the same there is the same for the server. That needs no privilege but to read the
//! table, creates nothing, and works in a read-only transaction. A plan doesn't show all of a query or of a subquery,
//! though, nor is there a plan of an exclusion or of a partition key: those are created as temporary objects, printed, and rolled back.

use super::backend::SEARCH_PATH;
use super::catalog::{CatalogError, exclusion, understood};
use super::frame::Frame;
use migrate_core::expression::Expression;
use migrate_core::name::{QualifiedName, quote_literal};
use migrate_core::schema::Trigger;
use migrate_core::verdict::{Question, Subject};
use sqlx::PgConnection;

/// Whether the expressions of each question mean the same. The session and the open transaction are as they were before,
/// even after an error.
///
/// An expression of the model that the server rejects is not the same.
///
/// # Errors
/// Where the server can't answer: a privilege is missing, a lock isn't to be had, the connection is lost.
pub async fn answer(connection: &mut PgConnection, questions: &[Question], in_transaction: bool) -> Result<Vec<bool>, CatalogError> {
    let mut same = vec![false; questions.len()];
    let (explain, rehearse) =
        if in_transaction { (Frame::GUARDED_SAVEPOINT, Frame::GUARDED_SAVEPOINT) } else { (Frame::READ_ONLY, Frame::ROLLED_BACK) };
    for (frame, writes) in [(explain, false), (rehearse, true)] {
        let probes: Vec<(usize, String)> = questions
            .iter()
            .enumerate()
            .filter(|(_, question)| creates(&question.subject) == writes)
            .filter_map(|(number, question)| Some((number, probe(question, number)?)))
            .collect();
        let queries: Vec<String> = probes.iter().map(|(_, query)| query.clone()).collect();
        let texts = ask(connection, frame, &queries).await?;
        for ((number, _), text) in probes.into_iter().zip(texts) {
            same[number] = text.is_some_and(|text| is_same(&questions[number], &text));
        }
    }
    Ok(same)
}

/// Whether the answer takes an object.
fn creates(subject: &Subject) -> bool {
    matches!(
        subject,
        Subject::Body { .. }
            | Subject::Bound { .. }
            | Subject::Check { .. }
            | Subject::Condition { .. }
            | Subject::Exclusion { .. }
            | Subject::Partitioning { .. }
            | Subject::Query
            | Subject::Trigger { .. }
    )
}

/// The statements that give the answer, of which exactly one gives a row. `None`: there is no way to tell.
fn probe(question: &Question, number: usize) -> Option<String> {
    let Question { model, live, .. } = question;
    Some(match &question.subject {
        Subject::Value { data_type, table } => {
            explain(&format!("(\n{model}\n)::{data_type}"), &format!("(\n{live}\n)::{data_type}"), table.as_ref())
        }
        Subject::Expression { table } => explain(&format!("(\n{model}\n)"), &format!("(\n{live}\n)"), Some(table)),
        // a plan calls subqueries by number; a condition is printed with the name of its table
        Subject::Condition { table } => {
            let own = QualifiedName::new("pg_temp", table.name.clone());
            let (name, policy) = (own.quoted(), format!("_migrate_condition_{number}"));
            let mut condition = Expression::new(model);
            condition.rename_qualifier(table, &own);
            let asked = rehearsal(
                &format!(
                    "create temporary table {} (like {});\ncreate policy {policy} on {name} using (\n{}\n)",
                    own.name.quoted(),
                    table.quoted(),
                    condition.sql()
                ),
                &format!(
                    "select pg_catalog.pg_get_expr(polqual, polrelid) from pg_catalog.pg_policy \
                     where polrelid = {}::pg_catalog.regclass and polname = '{policy}'",
                    quote_literal(&name)
                ),
            );
            format!("{asked};\ndrop table {name}")
        }
        Subject::Check { data_type } => {
            let name = format!("_migrate_domain_{number}");
            rehearsal(
                &format!("create domain pg_temp.{name} as {data_type} check (\n{model}\n)"),
                &format!(
                    "select pg_catalog.pg_get_expr(conbin, 0) from pg_catalog.pg_constraint \
                     where contypid = 'pg_temp.{name}'::pg_catalog.regtype and contype = 'c'"
                ),
            )
        }
        Subject::Exclusion { table } => {
            let name = format!("_migrate_exclusion_{number}");
            rehearsal(
                &format!(
                    "create temporary table {name} (like {});\nalter table pg_temp.{name} add constraint {name}_constraint exclude {model}",
                    table.quoted()
                ),
                &format!(
                    "select pg_catalog.pg_get_constraintdef(oid) from pg_catalog.pg_constraint \
                     where conrelid = 'pg_temp.{name}'::pg_catalog.regclass and contype = 'x'"
                ),
            )
        }
        Subject::Partitioning { table } => {
            let name = format!("_migrate_partitioning_{number}");
            rehearsal(
                &format!("create temporary table {name} (like {}) {model}", table.quoted()),
                &format!("select 'partition by ' || pg_catalog.pg_get_partkeydef('pg_temp.{name}'::pg_catalog.regclass)"),
            )
        }
        Subject::Bound { parent, partition_by } => {
            let name = format!("_migrate_bound_{number}");
            rehearsal(
                &format!(
                    "create temporary table {name} (like {}) {partition_by};\n\
                     create temporary table {name}_part partition of pg_temp.{name} {model}",
                    parent.quoted()
                ),
                &format!(
                    "select pg_catalog.pg_get_expr(relpartbound, oid) from pg_catalog.pg_class \
                     where oid = 'pg_temp.{name}_part'::pg_catalog.regclass"
                ),
            )
        }
        Subject::Query => {
            let name = format!("_migrate_view_{number}");
            let connective = if Expression::new(model).has_column_list() { "" } else { "as " };
            rehearsal(
                &format!("create temporary view {name} {connective}{model}"),
                &format!("select pg_catalog.pg_get_viewdef('pg_temp.{name}'::pg_catalog.regclass)"),
            )
        }
        Subject::Body { kind, head } => {
            let name = format!("_migrate_body_{number}");
            rehearsal(
                &format!("create {} pg_temp.{name}{head} language sql\n{model}", kind.sql()),
                &format!(
                    "select pg_catalog.pg_get_functiondef(oid) from pg_catalog.pg_proc \
                     where proname = '{name}' and pronamespace = pg_catalog.pg_my_temp_schema()"
                ),
            )
        }
        Subject::Trigger { relation } => {
            let name = format!("_migrate_trigger_{number}");
            // its own function can't be found by a name that the model knows, and takes no part in the condition
            rehearsal(
                &format!(
                    "create temporary table {name} (like {});\ncreate trigger {name} after update on pg_temp.{name} for each row when (\n{model}\n) \
                     execute function pg_catalog.suppress_redundant_updates_trigger()",
                    relation.quoted()
                ),
                &format!(
                    "select pg_catalog.pg_get_triggerdef(oid) from pg_catalog.pg_trigger \
                     where tgrelid = 'pg_temp.{name}'::pg_catalog.regclass"
                ),
            )
        }
        Subject::Nothing => return None,
    })
}

/// Both expressions in one plan. Nothing of the table is read: the condition is folded before a path is looked for.
fn explain(model: &str, live: &str, table: Option<&QualifiedName>) -> String {
    let from = table.map(|table| format!("\nfrom only {} where false", table.quoted())).unwrap_or_default();
    format!("explain (verbose, costs off, format json) select {model}, {live}{from}")
}

/// What is created is found by the names that the model would find, and printed as the catalog's reader prints it.
fn rehearsal(create: &str, print: &str) -> String {
    format!("{create}\n;\nset local search_path to pg_catalog, pg_temp;\n{print};\nset local search_path to {SEARCH_PATH}")
}

fn is_same(question: &Question, text: &str) -> bool {
    let live = Expression::new(&question.live);
    match question.subject {
        Subject::Value { .. } | Subject::Expression { .. } => {
            let plan: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
            let output = &plan[0]["Plan"]["Output"];
            output[0].is_string() && output[0] == output[1]
        }
        Subject::Exclusion { .. } => exclusion(text).is_some_and(|printed| printed == live),
        Subject::Body { .. } => understood(text).is_some_and(|printed| printed == live),
        Subject::Trigger { .. } => Trigger::read_definition(text).0.is_some_and(|printed| printed == live),
        Subject::Bound { .. } | Subject::Check { .. } | Subject::Condition { .. } | Subject::Partitioning { .. } | Subject::Query => {
            Expression::from_catalog(text) == live
        }
        Subject::Nothing => false,
    }
}

/// The text that each query gives, `None` where the server rejects the query: all in one round trip, and two more for each
/// rejected one.
async fn ask(connection: &mut PgConnection, frame: Frame, queries: &[String]) -> Result<Vec<Option<String>>, sqlx::Error> {
    let mut answers = Vec::with_capacity(queries.len());
    while answers.len() < queries.len() {
        let (texts, error) = frame.texts_until_error(connection, SEARCH_PATH, &queries[answers.len()..]).await?;
        answers.extend(texts.into_iter().map(Some));
        let Some(error) = error else { break };
        if !is_rejection(&error) {
            return Err(error);
        }
        // what the parser refuses, it refuses for the whole message: only alone is a query known to be the culprit
        let culprit = answers.len();
        let (texts, error) = frame.texts_until_error(connection, SEARCH_PATH, &queries[culprit..=culprit]).await?;
        match error {
            Some(error) if !is_rejection(&error) => return Err(error),
            Some(_) => answers.push(None),
            None => answers.push(texts.into_iter().next()),
        }
    }
    Ok(answers)
}

/// Whether the server understands the question and says no to the expression in it.
fn is_rejection(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else { return false };
    let code = error.code().unwrap_or_default();
    match code.as_ref() {
        // a missing privilege says nothing; a new enum value that can't be used yet can't be what is there
        "42501" => false,
        "55P04" => true,
        code => ["0A", "21", "22", "23", "2B", "38", "39", "3F", "42", "44", "P0"].iter().any(|class| code.starts_with(class)),
    }
}
