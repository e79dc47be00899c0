//! Does an operation still have to be done on this SQLite database?

use super::plan::{computes_values, refused};
use super::project::{enum_checks, project};
use crate::operation::{Operate, Operation};
use crate::schema::{ObjectKey, Schema, Table};
use crate::verdict::{Answers, Change, Verdict, exists, is_unmodelled, verdict_of_changes};

/// What an operation changes on SQLite, given the model before and after it: the objects that it touches, and the checks of
/// enum columns. Where that is nothing at all (a comment, an enum that no table uses), what it touches as it is.
#[must_use]
pub fn changes(operation: &Operation, before: &Schema, after: &Schema) -> Vec<Change> {
    let mut keys = operation.touches();
    let whole: Vec<_> = keys.iter().filter(|key| matches!(key, ObjectKey::Table(_))).cloned().collect();
    for (schema, other) in [(before, after), (after, before)] {
        let changed = |table: &&Table| before.enums != after.enums || other.tables.get(&table.name) != Some(*table);
        for table in schema.tables.values().filter(changed) {
            if whole.contains(&ObjectKey::Table(table.name.clone())) {
                continue;
            }
            for (_, check) in enum_checks(table, schema) {
                let key = ObjectKey::Constraint(table.name.clone(), check.name);
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
    }
    let (before, after) = (project(&part(before, &keys)), project(&part(after, &keys)));
    let change = |key: ObjectKey| Change { before: before.definition(&key), after: after.definition(&key), key };
    let (mut changed, mut same): (Vec<_>, Vec<_>) = keys.into_iter().map(change).partition(|change| change.before != change.after);
    if changed.is_empty() {
        same.retain(|change| change.after.is_some());
        changed = same;
    }
    changed
}

/// The verdict on an operation: `changes` is what [`changes`] told, `model` the model before it, `live` what a snapshot read.
///
/// The rules are those of PostgreSQL. There is no server to ask about expressions: SQLite keeps them as they were written, so
/// another text is another definition.
#[must_use]
pub fn verdict(operation: &Operation, changes: &[Change], model: &Schema, live: &Schema) -> Verdict {
    let missing = operation.requires().into_iter().find(|key| {
        let known_to_sqlite = !matches!(key, ObjectKey::Schema(_) | ObjectKey::Extension(_) | ObjectKey::Type(_) | ObjectKey::Sequence(_));
        known_to_sqlite && !exists(live, key)
    });
    if let Some(missing) = missing {
        return Verdict::Absent(missing);
    }
    if changes.is_empty() {
        // what the model can't see has to be run, and what SQLite can't do refused; what only SQLite doesn't see is done
        let touches = operation.touches();
        let seen = !touches.is_empty() && !touches.iter().any(|key| is_unmodelled(model, key));
        let done = seen && refused(operation).is_none();
        return if done { Verdict::After } else { Verdict::Before };
    }
    let stays = changes.iter().all(|change| change.before == change.after);
    let mut answers = Answers::default();
    loop {
        match verdict_of_changes(changes, model, live, &answers) {
            Verdict::Unsure(questions) => questions.into_iter().for_each(|question| answers.record(question, false)),
            // that the values have been computed already is nowhere to be seen
            Verdict::After if stays && computes_values(operation, model) => return Verdict::Before,
            verdict => return verdict,
        }
    }
}

/// The tables and views that `keys` are about.
fn part(schema: &Schema, keys: &[ObjectKey]) -> Schema {
    let mut part = Schema { enums: schema.enums.clone(), ..Schema::default() };
    for key in keys {
        let table = match key {
            ObjectKey::Index(name) => schema.table_of_index(name),
            key => key.table().and_then(|name| schema.tables.get(name)),
        };
        if let Some(table) = table {
            part.tables.insert(table.name.clone(), table.clone());
        }
        if let ObjectKey::View(name) = key
            && let Some(view) = schema.views.get(name)
        {
            part.views.insert(name.clone(), view.clone());
        }
    }
    part
}
