//! Whether the model of a schema is what a server's catalog says.

use migrate_core::expression::Sameness;
use migrate_core::name::Name;
use migrate_core::schema::{Definition, ObjectKey, Schema, Table, Value, denies, is_about_access, is_about_privilege};
use migrate_core::verdict::{Question, Subject};
use migrate_runtime::postgres::catalog::CatalogError;
use migrate_runtime::postgres::normalize;
use sqlx::PgConnection;
use std::collections::BTreeSet;

/// What a comparison found.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// How many objects were compared.
    pub objects: usize,
    /// Everything that is otherwise in the catalog than in the model, a line each.
    pub differences: Vec<String>,
}

/// Compares every object of the two schemas. Where text can't tell, the server that `live` was read from is asked.
///
/// # Errors
/// Where the server can't answer.
pub async fn compare(model: &Schema, live: &Schema, connection: &mut PgConnection) -> Result<Comparison, CatalogError> {
    let mut keys: BTreeSet<ObjectKey> = keys(model).chain(keys(live)).collect();
    keys.retain(|key| !model.is_known_by_name(key) && !is_other_routine(model, key));
    let mut differences = Differences { model, live, questions: Vec::new(), found: Vec::new() };
    for key in &keys {
        differences.compare(key);
    }
    let Differences { questions, mut found, .. } = differences;
    let answers = normalize::answer(connection, &questions, false).await?;
    for (Question { key, aspect, model, live, .. }, _) in questions.iter().zip(answers).filter(|(_, same)| !same) {
        found.push(format!("{key}: {aspect} is {live}, expected {model}, says the server"));
    }
    Ok(Comparison { objects: keys.len(), differences: found })
}

/// Whether it may be a function of which the model has the name only.
fn is_other_routine(model: &Schema, key: &ObjectKey) -> bool {
    matches!(key, ObjectKey::Routine(signature) if model.other_routines.contains(&signature.name) && !model.routines.contains_key(signature))
}

fn keys(schema: &Schema) -> impl Iterator<Item = ObjectKey> {
    let indexes = |table: &Table| {
        let index = |name: &Name| ObjectKey::Index(table.name.sibling(name.clone()));
        table.indexes.keys().map(index).collect::<Vec<_>>()
    };
    let tables = schema.tables.values().flat_map(move |table| {
        let mut keys = indexes(table);
        keys.extend(table.policies.keys().map(|name| ObjectKey::Policy(table.name.clone(), name.clone())));
        keys.push(ObjectKey::Table(table.name.clone()));
        keys
    });
    (schema.schemas.keys().cloned().map(ObjectKey::Schema))
        .chain(schema.extensions.keys().cloned().map(ObjectKey::Extension))
        .chain(tables)
        .chain(schema.enums.keys().chain(schema.domains.keys()).chain(schema.composites.keys()).cloned().map(ObjectKey::Type))
        .chain(schema.sequences.keys().cloned().map(ObjectKey::Sequence))
        .chain(schema.views.keys().cloned().map(ObjectKey::View))
        .chain(schema.routines.keys().cloned().map(ObjectKey::Routine))
        .chain(schema.trigger_keys())
}

struct Differences<'a> {
    model: &'a Schema,
    live: &'a Schema,
    questions: Vec<Question>,
    found: Vec<String>,
}

impl Differences<'_> {
    fn compare(&mut self, key: &ObjectKey) {
        match (self.model.definition(key), self.live.definition(key)) {
            (Some(model), Some(live)) => self.compare_definitions(key, &model, &live),
            (Some(_), None) => self.found.push(format!("{key} is not in the catalog")),
            (None, Some(_)) => self.found.push(format!("{key} is not in the model")),
            (None, None) => self.found.push(format!("{key} has no definition")),
        }
    }

    fn compare_definitions(&mut self, key: &ObjectKey, model: &Definition, live: &Definition) {
        let aspects: BTreeSet<&str> = model.facts.iter().chain(&live.facts).map(|fact| fact.aspect.as_str()).collect();
        for aspect in aspects {
            let (expected, found) = (model.get(aspect), live.get(aspect));
            // who may do what counts where it was said
            if is_about_access(aspect) && expected.is_none() {
                continue;
            }
            let sameness = match (expected, found) {
                (Some(Value::Text(text)), None) if is_about_privilege(aspect) && denies(text) => Sameness::Equal,
                (Some(expected), Some(found)) => expected.compare(found),
                _ => Sameness::Different,
            };
            let text = |value: Option<&Value>| value.map(ToString::to_string).unwrap_or_default();
            match sameness {
                Sameness::Equal => {}
                Sameness::Unknown => self.questions.push(Question {
                    key: key.clone(),
                    aspect: aspect.to_owned(),
                    subject: Subject::of(self.live, key, aspect),
                    model: text(expected),
                    live: text(found),
                }),
                Sameness::Different => {
                    self.found.push(format!("{key}: {aspect} is {:?}, expected {:?}", text(found), text(expected)));
                }
            }
        }
    }
}
