//! Does an operation still have to be done? Decided by comparing the live definitions with the model's.

use crate::expression::Sameness;
use crate::operation::{Operate, Operation};
use crate::schema::{Definition, ObjectKey, Origin, Presence, Schema, Value};
use std::collections::BTreeSet;
use std::fmt;

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

/// One thing that is otherwise in the database than in the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Of what.
    pub key: ObjectKey,
    /// In which respect; empty when the object as a whole is one too many.
    pub aspect: String,
    /// As the migration leaves it; `None`: it has no such thing.
    pub expected: Option<String>,
    /// As it is.
    pub found: Option<String>,
}

/// `column documents.title: type is text, expected character varying(50)`.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.key)?;
        match (&self.found, &self.expected) {
            (Some(found), Some(expected)) => write!(f, "{} is {found}, expected {expected}", self.aspect),
            (Some(found), None) => write!(f, "{} is {found}, expected none", self.aspect),
            (None, Some(expected)) => write!(f, "{} is missing, expected {expected}", self.aspect),
            (None, None) => write!(f, "{}", self.aspect),
        }
    }
}

/// Two expressions that only the server can compare.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Question {
    /// The object that the expression belongs to.
    pub key: ObjectKey,
    /// In which respect: `default`, `check`, `where`, `query`, …
    pub aspect: String,
    /// As the model has it.
    pub model: String,
    /// As the catalog has it.
    pub live: String,
}

/// What the server has said about expressions so far.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    same: BTreeSet<Question>,
    different: BTreeSet<Question>,
}

impl Answers {
    /// Notes an answer.
    pub fn record(&mut self, question: Question, same: bool) {
        if same { &mut self.same } else { &mut self.different }.insert(question);
    }

    fn compare(&self, question: &Question, model: &Value, live: &Value) -> Sameness {
        match model.compare(live) {
            Sameness::Unknown if self.same.contains(question) => Sameness::Equal,
            Sameness::Unknown if self.different.contains(question) => Sameness::Different,
            sameness => sameness,
        }
    }
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

/// Applies `operation` to the model and tells what that changed.
pub fn advance(model: &mut Schema, operation: &Operation, origin: &Origin) -> Vec<Change> {
    let keys = operation.touches();
    let before: Vec<_> = keys.iter().map(|key| model.definition(key)).collect();
    operation.apply(model, origin);
    keys.into_iter()
        .zip(before)
        .map(|(key, before)| {
            let after = model.definition(&key);
            Change { key, before, after }
        })
        .collect()
}

/// The verdict on an operation, given what it changes in the model and the live schema.
///
/// `model` is the schema before the operation, to tell optional tables from others.
#[must_use]
pub fn verdict(operation: &Operation, changes: &[Change], model: &Schema, live: &Schema, answers: &Answers) -> Verdict {
    if let Some(missing) = operation.requires().into_iter().find(|key| !exists(live, key)) {
        return Verdict::Absent(missing);
    }
    let mut states = Vec::new();
    let mut differences = Vec::new();
    let mut questions = Vec::new();
    for change in changes {
        let state = judge(change, live, answers, &mut differences, &mut questions);
        let table_is_optional = matches!(&change.key, ObjectKey::Table(name)
            if model.table(name).is_some_and(|table| table.presence == Presence::Optional));
        if state == State::Missing || (state == State::After && change.after.is_none() && table_is_optional) {
            return Verdict::Absent(change.key.clone());
        }
        states.push(state);
    }
    if states.contains(&State::Conflict) {
        return Verdict::Conflict(differences);
    }
    if states.contains(&State::Unsure) {
        return Verdict::Unsure(questions);
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
    let done = changes.iter().zip(&states).filter(|(_, state)| **state == State::After).map(|(change, _)| Difference {
        key: change.key.clone(),
        aspect: "is there already, but the rest of the operation is not done".to_owned(),
        expected: None,
        found: None,
    });
    Verdict::Conflict(done.collect())
}

/// Whether `key` is there. Constraints and columns of a missing table aren't.
fn exists(live: &Schema, key: &ObjectKey) -> bool {
    match key {
        // a reference to a relation that the model knows under one kind may be satisfied by another: a foreign table
        ObjectKey::Table(name) => live.tables.contains_key(name) || live.others.contains_key(name),
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

fn judge(change: &Change, live: &Schema, answers: &Answers, differences: &mut Vec<Difference>, questions: &mut Vec<Question>) -> State {
    let found = live.definition(&change.key);
    match (&change.before, &change.after, found) {
        (None, None, _) | (Some(_), None, None) => State::After,
        (None, Some(_), None) | (Some(_), None, Some(_)) => State::Before,
        (Some(_), Some(_), None) => State::Missing,
        (None, Some(after), Some(found)) => {
            let aspects = aspects(after, &found).filter(|aspect| !aspect.ends_with("comment"));
            compare(change, after, &found, aspects.collect(), answers, differences, questions, State::After)
        }
        (Some(before), Some(after), Some(found)) => {
            let changed: Vec<String> = aspects(before, after).filter(|aspect| before.get(aspect) != after.get(aspect)).collect();
            let (mut ignored, mut asked) = (Vec::new(), Vec::new());
            match compare(change, before, &found, changed.clone(), answers, &mut ignored, &mut asked, State::Before) {
                State::Before if !changed.is_empty() => State::Before,
                State::Unsure => {
                    questions.append(&mut asked);
                    State::Unsure
                }
                _ => compare(change, after, &found, changed, answers, differences, questions, State::After),
            }
        }
    }
}

fn aspects<'a>(left: &'a Definition, right: &'a Definition) -> impl Iterator<Item = String> + 'a {
    let only_right = right.facts.iter().filter(|fact| left.get(&fact.aspect).is_none());
    left.facts.iter().chain(only_right).map(|fact| fact.aspect.clone())
}

#[expect(clippy::too_many_arguments, reason = "a private step of `judge`, with its two outputs")]
fn compare(
    change: &Change,
    expected: &Definition,
    found: &Definition,
    aspects: Vec<String>,
    answers: &Answers,
    differences: &mut Vec<Difference>,
    questions: &mut Vec<Question>,
    equal: State,
) -> State {
    let mut state = equal;
    for aspect in aspects {
        let (model, live) = (expected.get(&aspect), found.get(&aspect));
        let question = Question {
            key: change.key.clone(),
            aspect: aspect.clone(),
            model: model.map(ToString::to_string).unwrap_or_default(),
            live: live.map(ToString::to_string).unwrap_or_default(),
        };
        let sameness = match (model, live) {
            (None, None) => Sameness::Equal,
            (Some(model), Some(live)) => answers.compare(&question, model, live),
            _ => Sameness::Different,
        };
        match sameness {
            Sameness::Equal => {}
            Sameness::Unknown => {
                questions.push(question);
                if state == equal {
                    state = State::Unsure;
                }
            }
            Sameness::Different => {
                let (expected, found) = (model.map(ToString::to_string), live.map(ToString::to_string));
                differences.push(Difference { key: change.key.clone(), aspect, expected, found });
                state = State::Conflict;
            }
        }
    }
    state
}
