//! What holds for every case that has no errors.

use super::outcome::script;
use super::reformat::reformat;
use super::{Case, Outcome};
use migrate_core::checksum::checksum;
use migrate_core::expression::Expression;
use migrate_core::operation::{Operate, Operation};
use migrate_core::replay;
use migrate_core::report::{Problem, Report};
use migrate_core::schema::{Origin, Schema};
use migrate_core::step::{Action, Step};
use migrate_core::verdict::{Answers, Change, Verdict, advance, verdict};
use serde_json::Value;
use similar::TextDiff;

type Property = fn(&Case, &Outcome) -> Result<(), String>;

/// Every property that the case breaks, each with what broke it.
pub(super) fn violations(case: &Case, outcome: &Outcome) -> Vec<String> {
    let properties: [(&str, Property); 6] = [
        ("`sql up` parsed again is the same migration", sql_up_is_the_migration),
        ("`down` after `up` is the schema before", down_restores),
        ("`sql down` parsed again restores too", sql_down_restores),
        ("the checksum doesn't depend on the layout", layout_is_no_content),
        ("each operation's verdict is `before` before it and `after` after it", verdicts_tell),
        ("the steps survive serialisation", steps_are_data),
    ];
    let broken = properties.into_iter().filter_map(|(name, property)| {
        let reason = property(case, outcome).err()?;
        Some(format!("broken property: {name}\n{reason}"))
    });
    broken.collect()
}

fn sql_up_is_the_migration(_: &Case, outcome: &Outcome) -> Result<(), String> {
    let written = effective(outcome);
    let sql: Vec<_> = written.iter().filter_map(|step| change(step)).flat_map(Operate::render).collect();
    let mut schema = outcome.before.clone();
    let steps = replayed(&script(&sql), &mut schema)?;
    // what needs several statements is several operations when it is read again
    if written.iter().filter_map(change).all(|operation| operation.render().len() == 1) {
        same_text(&operations(&written)?, &operations(&steps)?)?;
    }
    same_schema(&outcome.after, &schema)
}

/// The steps that have something to do: not `if exists` of what is unknown, not `if not exists` of what is there.
fn effective(outcome: &Outcome) -> Vec<Step> {
    let mut schema = outcome.before.clone();
    let mut steps = outcome.steps.clone();
    steps.retain(|step| {
        let Some(operation) = change(step).filter(|_| !step.is_unchecked(&schema)) else { return false };
        let before = schema.clone();
        operation.apply(&mut schema, &Origin::default());
        // `default null` is printed, and makes no difference between columns
        let is_printed = matches!(operation, Operation::SetDefault(_) | Operation::DropDefault(_)) && before.print() != schema.print();
        operation.touches().is_empty() || before != schema || is_printed
    });
    steps
}

fn change(step: &Step) -> Option<&Operation> {
    match &step.action {
        Action::Change(operation) => Some(operation),
        _ => None,
    }
}

/// The operations that undo the steps, but for those of which the model knows nothing, and for a `revoke` of what nobody
/// granted: its verdict is `after`, so nothing is run and nothing undone.
fn undoing(outcome: &Outcome) -> Option<Vec<Operation>> {
    let undos = outcome.down.as_ref().ok()?;
    let mut schema = outcome.before.clone();
    let left_alone: Vec<bool> = outcome
        .steps
        .iter()
        .map(|step| {
            let unchecked = step.is_unchecked(&schema);
            let before = schema.clone();
            step.clone().replay(&mut schema, &Origin::default(), &mut Report::default());
            let idle = matches!(step.action, Action::Change(Operation::Revoke(_))) && before == schema;
            unchecked || idle
        })
        .collect();
    let known = undos.iter().filter(|undo| !left_alone[undo.step]);
    Some(known.flat_map(|undo| undo.operations.clone()).collect())
}

fn down_restores(_: &Case, outcome: &Outcome) -> Result<(), String> {
    let Some(down) = undoing(outcome) else { return Ok(()) };
    let mut schema = outcome.after.clone();
    let mut report = Report::default();
    for operation in down {
        Step::new(Action::Change(operation), 0).replay(&mut schema, &Origin::default(), &mut report);
    }
    clean(&report)?;
    same_schema(&outcome.before, &schema)
}

fn sql_down_restores(_: &Case, outcome: &Outcome) -> Result<(), String> {
    let Some(down) = undoing(outcome) else { return Ok(()) };
    let sql: Vec<_> = down.iter().flat_map(Operate::render).collect();
    let mut schema = outcome.after.clone();
    replayed(&script(&sql), &mut schema)?;
    same_schema(&outcome.before, &schema)
}

fn layout_is_no_content(case: &Case, outcome: &Outcome) -> Result<(), String> {
    let sql = reformat(&case.migration);
    let mut schema = outcome.before.clone();
    let steps = replayed(&sql, &mut schema)?;
    if checksum(&steps, &[]) == checksum(&outcome.steps, &[]) {
        return Ok(());
    }
    same_text(&operations(&outcome.steps)?, &operations(&steps)?)?;
    Err(format!("checksums differ after reformatting:\n{sql}"))
}

fn verdicts_tell(_: &Case, outcome: &Outcome) -> Result<(), String> {
    let mut model = outcome.before.clone();
    for step in &outcome.steps {
        let Action::Change(operation) = &step.action else { continue };
        let before = model.clone();
        if step.is_unchecked(&before) {
            continue;
        }
        let changes = advance(&mut model, operation, &Origin::default());
        // that a role lacks what nobody said it has is no change
        let effective = changes.iter().any(|change| change.before != change.after) && before != model;
        // what the model knows by name only is always still to be done
        if !effective && (operation.touches().is_empty() || changes.is_empty()) {
            continue;
        }
        if !effective && before != model {
            return Err(format!("{} changes the schema, but nothing that it touches", operation.describe()));
        }
        for (live, expected) in [(&before, if effective { Verdict::Before } else { Verdict::After }), (&model, Verdict::After)] {
            let found = answered(operation, &changes, &before, live);
            if found != expected {
                return Err(format!("{}: {found:?}, expected {expected:?}", operation.describe()));
            }
        }
    }
    Ok(())
}

/// The verdict, with a server that takes expressions for different where their text differs.
fn answered(operation: &Operation, changes: &[Change], model: &Schema, live: &Schema) -> Verdict {
    let mut answers = Answers::default();
    loop {
        match verdict(operation, changes, model, live, &answers) {
            Verdict::Unsure(questions) => questions.into_iter().for_each(|question| answers.record(question, false)),
            verdict => return verdict,
        }
    }
}

fn steps_are_data(_: &Case, outcome: &Outcome) -> Result<(), String> {
    let text = serde_json::to_string(&outcome.steps).map_err(|error| error.to_string())?;
    let steps: Vec<Step> = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    if steps == outcome.steps { Ok(()) } else { Err(text) }
}

/// Parses `sql` and replays it on `schema`.
fn replayed(sql: &str, schema: &mut Schema) -> Result<Vec<Step>, String> {
    let mut steps = replay::steps(sql).map_err(|problems| format!("{problems:?} in\n{sql}"))?;
    clean(&replay::replay(&mut steps, schema, "migration")).map_err(|problems| format!("{problems}\nin\n{sql}"))?;
    Ok(steps)
}

fn clean(report: &Report) -> Result<(), String> {
    if report.is_empty() {
        return Ok(());
    }
    Err(report.problems.iter().map(Problem::text).collect::<Vec<_>>().join("\n"))
}

/// The operations, without what their SQL needs not say (that an object may be absent, the verdict decides; tables that are
/// dropped together are dropped one by one, and what has to fall for that is said) and with their expressions in one spelling.
fn operations(steps: &[Step]) -> Result<String, String> {
    let operations: Vec<_> = steps.iter().map(|step| &step.action).collect();
    let mut value = serde_json::to_value(operations).map_err(|error| error.to_string())?;
    normalise(&mut value);
    serde_json::to_string_pretty(&value).map_err(|error| error.to_string())
}

fn normalise(value: &mut Value) {
    match value {
        Value::Object(map) if map.len() == 1 && map.contains_key("sql") => {
            if let Some(Value::String(sql)) = map.get_mut("sql") {
                *sql = Expression::new(sql.as_str()).canonical();
            }
        }
        Value::Object(map) => {
            map.retain(|key, _| !["if_exists", "if_not_exists", "origin", "together"].contains(&key.as_str()));
            map.values_mut().for_each(normalise);
        }
        Value::Array(values) => values.iter_mut().for_each(normalise),
        _ => {}
    }
}

fn same_schema(expected: &Schema, found: &Schema) -> Result<(), String> {
    let (expected, found) = (expected.without_order(), found.without_order());
    same_text(&expected.print(), &found.print())?;
    if expected == found { Ok(()) } else { Err("the schemas print alike, but are not equal".to_owned()) }
}

fn same_text(expected: &str, found: &str) -> Result<(), String> {
    if expected == found {
        return Ok(());
    }
    Err(TextDiff::from_lines(expected, found).unified_diff().context_radius(3).header("expected", "found").to_string())
}
