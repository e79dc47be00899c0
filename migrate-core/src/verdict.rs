//! Does an operation still have to be done? Decided by comparing the live definitions with the model's.

pub use crate::difference::{Difference, told};
use crate::expression::Sameness;
use crate::operation::{Operate, Operation};
pub use crate::question::{Answers, Question, Subject};
use crate::schema::{Definition, ObjectKey, Origin, Presence, Schema, Value, denies, is_about_access, is_about_privilege};

/// What has to happen with an operation on this database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It still has to be done.
    Before,
    /// It has been done already, identically.
    After,
    /// What it works on is missing.
    Absent(ObjectKey),
    /// An object of that name exists with another definition.
    Conflict(Vec<Difference>),
    /// Text doesn't tell: the server has to say whether these expressions are the same.
    Unsure(Vec<Question>),
}

/// What an operation does to one object of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The object.
    pub key: ObjectKey,
    /// Its definition before, `None`: it isn't there.
    pub before: Option<Definition>,
    /// Its definition after.
    pub after: Option<Definition>,
}

/// Applies `operation` to the model and tells what that changed. Of what the model knows by name only (a relation made
/// by a query, a policy for whoever created it) nothing is told: what is done to it is always still to be done.
pub fn advance(model: &mut Schema, operation: &Operation, origin: &Origin) -> Vec<Change> {
    let keys = operation.touches();
    let before: Vec<_> = keys.iter().map(|key| model.definition(key)).collect();
    let unmodelled: Vec<_> = keys.iter().map(|key| is_unmodelled(model, key)).collect();
    operation.apply(model, origin);
    keys.into_iter()
        .zip(before)
        .zip(unmodelled)
        .filter_map(|((key, before), unmodelled)| {
            let after = model.definition(&key);
            let told = before.is_some() || after.is_some() || !(unmodelled || is_unmodelled(model, &key));
            told.then_some(Change { key, before, after })
        })
        .collect()
}

/// Whether the model knows what `key` is about by name only.
pub(crate) fn is_unmodelled(model: &Schema, key: &ObjectKey) -> bool {
    if let ObjectKey::Policy(table, name) = key
        && model.has_unmodelled_policy(table, name)
    {
        return true;
    }
    let relation = if let ObjectKey::Index(index) = key { Some(index) } else { key.table() };
    relation.is_some_and(|name| !model.tables.contains_key(name) && model.others.contains_key(name))
}

/// The verdict on an operation, given what it changes in the model and the live schema.
///
/// `model` is the schema before the operation, to tell optional tables from others.
#[must_use]
pub fn verdict(operation: &Operation, changes: &[Change], model: &Schema, live: &Schema, answers: &Answers) -> Verdict {
    if let Some(missing) = operation.requires().into_iter().find(|key| !exists(live, key)) {
        return Verdict::Absent(missing);
    }
    verdict_of_changes(changes, model, live, answers)
}

/// The verdict on what an operation changes, where everything that it requires is there.
pub(crate) fn verdict_of_changes(changes: &[Change], model: &Schema, live: &Schema, answers: &Answers) -> Verdict {
    let mut states = Vec::new();
    let mut judge = Judge { live, answers, differences: Vec::new(), questions: Vec::new() };
    for change in changes {
        let state = judge.judge(change);
        let table_is_optional = matches!(&change.key, ObjectKey::Table(name)
            if model.table(name).is_some_and(|table| table.presence == Presence::Optional));
        if state == State::Missing || (state == State::After && change.after.is_none() && table_is_optional) {
            return Verdict::Absent(change.key.clone());
        }
        states.push(state);
    }
    if states.contains(&State::Conflict) {
        return Verdict::Conflict(judge.differences);
    }
    if states.contains(&State::Unsure) {
        return Verdict::Unsure(judge.questions);
    }
    if states.iter().all(|state| *state == State::Before) {
        return Verdict::Before;
    }
    if states.iter().all(|state| *state == State::After) {
        return Verdict::After;
    }
    // a rename where the old name is gone and the new one isn't there
    let gone = changes.iter().zip(&states).find(|(change, state)| change.after.is_none() && **state == State::After);
    if let Some((change, _)) = gone {
        return Verdict::Absent(change.key.clone());
    }
    let left = changes.iter().zip(&states).filter(|(_, state)| **state != State::After);
    let left: Vec<String> = left.map(|(change, _)| change.key.to_string()).collect();
    let done = changes.iter().zip(&states).filter(|(_, state)| **state == State::After).map(|(change, _)| Difference {
        key: change.key.clone(),
        aspect: format!("is as the operation leaves it, but the rest of the operation is not done: {}", left.join(", ")),
        expected: None,
        found: None,
    });
    Verdict::Conflict(done.collect())
}

/// Whether `key` is there. Constraints and columns of a missing table aren't.
pub(crate) fn exists(live: &Schema, key: &ObjectKey) -> bool {
    match key {
        // a reference to a relation that the model knows under one kind may be satisfied by another: a view, a foreign table
        ObjectKey::Table(name) => live.tables.contains_key(name) || live.views.contains_key(name) || live.others.contains_key(name),
        key => live.definition(key).is_some(),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Before,
    After,
    Missing,
    Conflict,
    Unsure,
}

struct Judge<'a> {
    live: &'a Schema,
    answers: &'a Answers,
    /// What differs from what the operation leaves.
    differences: Vec<Difference>,
    /// What text can't tell.
    questions: Vec<Question>,
}

impl Judge<'_> {
    fn judge(&mut self, change: &Change) -> State {
        let found = self.live.definition(&change.key);
        match (&change.before, &change.after, found) {
            (None, None, _) | (Some(_), None, None) => State::After,
            (None, Some(_), None) => self.nothing_else_has_its_name(&change.key),
            (Some(_), None, Some(_)) => State::Before,
            (Some(_), Some(_), None) => State::Missing,
            // a foreign table, of which there is only the name
            (None, Some(after), Some(found))
                if matches!(change.key, ObjectKey::Table(_)) && self.live.is_known_by_name(&change.key) && *after != found =>
            {
                self.nothing_else_has_its_name(&change.key)
            }
            (None, Some(after), Some(found)) => {
                let stated = |aspect: &String| !is_about_access(aspect) || after.get(aspect).is_some();
                let aspects = aspects(after, &found).filter(|aspect| !aspect.ends_with("comment") && stated(aspect));
                let aspects: Vec<String> = aspects.collect();
                self.compare(&change.key, after, &found, &aspects, State::After)
            }
            (Some(before), Some(after), Some(found)) => {
                let found = found.with_settled_not_null(before);
                let changed: Vec<String> = aspects(before, after).filter(|aspect| before.get(aspect) != after.get(aspect)).collect();
                // what nobody said before may be any way: it is as it is to be, or it isn't
                let open = |aspect: &String| is_about_privilege(aspect) || (is_about_access(aspect) && before.get(aspect).is_none());
                if !changed.is_empty() && changed.iter().all(open) {
                    let mut later = Judge { live: self.live, answers: self.answers, differences: Vec::new(), questions: Vec::new() };
                    let done = later.compare(&change.key, after, &found, &changed, State::After) == State::After;
                    return if done { State::After } else { State::Before };
                }
                // what differs from the state before is no news if it is the state after
                let mut earlier = Judge { live: self.live, answers: self.answers, differences: Vec::new(), questions: Vec::new() };
                match earlier.compare(&change.key, before, &found, &changed, State::Before) {
                    State::Before if !changed.is_empty() => State::Before,
                    State::Unsure => {
                        let mut later = Judge { live: self.live, answers: self.answers, differences: Vec::new(), questions: Vec::new() };
                        if later.compare(&change.key, after, &found, &changed, State::After) == State::After {
                            return State::After;
                        }
                        self.questions.append(&mut earlier.questions);
                        State::Unsure
                    }
                    _ => self.compare(&change.key, after, &found, &changed, State::After),
                }
            }
        }
    }

    /// Tables, views, indexes and sequences share their names.
    fn nothing_else_has_its_name(&mut self, key: &ObjectKey) -> State {
        let (ObjectKey::Table(name) | ObjectKey::View(name) | ObjectKey::Index(name) | ObjectKey::Sequence(name)) = key else {
            return State::Before;
        };
        let Some(kind) = self.live.relation_kind(name) else { return State::Before };
        let aspect = format!("the name is that of a {kind}").replace(" a index", " an index");
        self.differences.push(Difference { key: key.clone(), aspect, expected: None, found: None });
        State::Conflict
    }

    /// Whether `found` is as `expected` in these aspects: then the state is `equal`.
    fn compare(&mut self, key: &ObjectKey, expected: &Definition, found: &Definition, aspects: &[String], equal: State) -> State {
        let mut state = equal;
        for aspect in aspects {
            let (model, live) = (expected.get(aspect), found.get(aspect));
            let mut sameness = match (model, live) {
                (None, None) => Sameness::Equal,
                // what isn't granted a live database doesn't list
                (Some(Value::Text(text)), None) if is_about_privilege(aspect) && denies(text) => Sameness::Equal,
                (Some(model), Some(live)) => model.compare(live),
                _ => Sameness::Different,
            };
            if let (Sameness::Unknown, Some(model), Some(live)) = (sameness, model, live) {
                let subject = Subject::of(self.live, key, aspect);
                let (model, live) = (model.to_string(), live.to_string());
                let question = Question { key: key.clone(), aspect: aspect.clone(), subject, model, live };
                sameness = self.answers.about(&question);
                if sameness == Sameness::Unknown {
                    self.questions.push(question);
                }
            }
            match sameness {
                Sameness::Unknown if state == equal => state = State::Unsure,
                Sameness::Equal | Sameness::Unknown => {}
                Sameness::Different => {
                    let (expected, found) = (model.map(ToString::to_string), live.map(ToString::to_string));
                    self.differences.push(Difference { key: key.clone(), aspect: aspect.clone(), expected, found });
                    state = State::Conflict;
                }
            }
        }
        state
    }
}

fn aspects<'a>(left: &'a Definition, right: &'a Definition) -> impl Iterator<Item = String> + 'a {
    let only_right = right.facts.iter().filter(|fact| left.get(&fact.aspect).is_none());
    left.facts.iter().chain(only_right).map(|fact| fact.aspect.clone())
}
