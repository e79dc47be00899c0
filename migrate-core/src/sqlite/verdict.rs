//! Does an operation still have to be done on this SQLite database?

use super::project::{enum_checks, project};
use crate::operation::{Operate, Operation};
use crate::schema::{ObjectKey, Schema};
use crate::verdict::{Answers, Change, Verdict, exists, verdict_of_changes};

/// The verdict on an operation. `before` and `after` are the model around it, `live` is what a snapshot read.
///
/// The same rules as on PostgreSQL, applied to projections. An operation that changes nothing on SQLite (a comment, an enum
/// type that no table uses) is done already. There is no server to ask about expressions: SQLite keeps them as they were
/// written, so another text is another definition.
#[must_use]
pub fn verdict(operation: &Operation, before: &Schema, after: &Schema, live: &Schema) -> Verdict {
    let missing = operation.requires().into_iter().find(|key| {
        let known_to_sqlite = !matches!(key, ObjectKey::Schema(_) | ObjectKey::Extension(_) | ObjectKey::Enum(_) | ObjectKey::Sequence(_));
        known_to_sqlite && !exists(live, key)
    });
    if let Some(missing) = missing {
        return Verdict::Absent(missing);
    }
    let changes = changes(operation, before, after, live);
    if changes.is_empty() {
        // what the model can't see has to be run; what only SQLite doesn't see is done
        return if operation.touches().is_empty() { Verdict::Before } else { Verdict::After };
    }
    let mut answers = Answers::default();
    loop {
        match verdict_of_changes(&changes, before, live, &answers) {
            Verdict::Unsure(questions) => questions.into_iter().for_each(|question| answers.record(question, false)),
            verdict => return verdict,
        }
    }
}

/// What an operation changes on SQLite: in the objects that it touches, and in the checks of enum columns.
fn changes(operation: &Operation, before: &Schema, after: &Schema, live: &Schema) -> Vec<Change> {
    let mut keys = operation.touches();
    let whole: Vec<_> = keys.iter().filter(|key| matches!(key, ObjectKey::Table(_))).cloned().collect();
    for table in before.tables.values().chain(after.tables.values()) {
        let schema = if before.tables.get(&table.name) == Some(table) { before } else { after };
        let changed = before.enums != after.enums || before.tables.get(&table.name) != after.tables.get(&table.name);
        if !changed || whole.contains(&ObjectKey::Table(table.name.clone())) {
            continue;
        }
        for (_, check) in enum_checks(table, schema) {
            let key = ObjectKey::Constraint(table.name.clone(), check.name);
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    let (before, after) = (project(&part(before, &keys)), project(&part(after, &keys)));
    let change = |key: ObjectKey| Change { before: before.definition(&key), after: after.definition(&key), key };
    let all: Vec<_> = keys.into_iter().map(change).collect();
    let some: Vec<_> = all.iter().filter(|change| change.before != change.after).cloned().collect();
    // what stays as it is says nothing, unless it should be there and isn't
    let missing = |change: &&Change| change.after.is_some() && live.definition(&change.key).is_none();
    if some.is_empty() { all.iter().filter(missing).cloned().collect() } else { some }
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
