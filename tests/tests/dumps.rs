//! Real dumps of one schema by several versions of `pg_dump`: replayed, they give the schema that its own SQL gives.

use migrate_core::expression::Sameness;
use migrate_core::lower;
use migrate_core::replay;
use migrate_core::report::Problem;
use migrate_core::schema::{Definition, ObjectKey, OtherKind, Schema};
use migrate_core::step::{Action, Step};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("dumps").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The schema that the statements of a file leave.
fn schema_of(name: &str) -> Schema {
    let sql = read(name);
    let line = |at: usize| sql[..at].matches('\n').count() + 1;
    let statements = lower::parse_file(&sql).unwrap_or_else(|problems| {
        let problems: Vec<_> = problems.iter().map(|it| format!("line {}: {}", line(it.at.range().start), it.message)).collect();
        panic!("{name} isn't read:\n{}", problems.join("\n"))
    });
    let steps = statements.into_iter().flat_map(|statement| {
        let line = u32::try_from(line(statement.at.range().start)).unwrap_or(u32::MAX);
        statement.operations.into_iter().map(move |operation| Step::new(Action::Change(operation), line))
    });
    let mut schema = Schema::default();
    let report = replay::replay(&mut steps.collect::<Vec<_>>(), &mut schema, name);
    let problem = |problem: &Problem| format!("line {}: {}", line(problem.at.0 as usize), problem.text());
    assert!(report.is_empty(), "{name}:\n{}", report.problems.iter().map(problem).collect::<Vec<_>>().join("\n"));
    schema
}

/// Every object that the schema has a definition of.
fn keys(schema: &Schema) -> BTreeSet<ObjectKey> {
    let of_tables = schema.tables.values().flat_map(|table| {
        let index = |name: &migrate_core::name::Name| ObjectKey::Index(table.name.sibling(name.clone()));
        std::iter::once(ObjectKey::Table(table.name.clone())).chain(table.indexes.keys().map(index)).collect::<Vec<_>>()
    });
    let names = schema.schemas.keys().cloned().map(ObjectKey::Schema);
    let extensions = schema.extensions.keys().cloned().map(ObjectKey::Extension);
    let types = schema.enums.keys().chain(schema.domains.keys()).chain(schema.composites.keys());
    let enums = types.cloned().map(ObjectKey::Type);
    let sequences = schema.sequences.keys().cloned().map(ObjectKey::Sequence);
    let views = schema.views.keys().cloned().map(ObjectKey::View);
    let routines = schema.routines.keys().cloned().map(ObjectKey::Routine);
    of_tables
        .chain(names)
        .chain(extensions)
        .chain(enums)
        .chain(sequences)
        .chain(views)
        .chain(routines)
        .chain(schema.trigger_keys())
        .collect()
}

/// What is certainly different. Where text can't tell, the server would be asked.
fn differences(key: &ObjectKey, left: &Definition, right: &Definition) -> Vec<String> {
    let aspects: BTreeSet<&str> = left.facts.iter().chain(&right.facts).map(|fact| fact.aspect.as_str()).collect();
    let differs = |aspect: &&str| match (left.get(aspect), right.get(aspect)) {
        (Some(left), Some(right)) => left.compare(right) == Sameness::Different,
        _ => true,
    };
    let show = |definition: &Definition, aspect: &str| definition.get(aspect).map_or_else(|| "nothing".to_owned(), ToString::to_string);
    let different = aspects.into_iter().filter(differs);
    different.map(|aspect| format!("{key}: {aspect}: {} | {}", show(left, aspect), show(right, aspect))).collect()
}

fn replays(dump: &str) {
    let (written, dumped) = (schema_of("schema.sql"), schema_of(dump));
    assert_eq!(keys(&written), keys(&dumped));
    let types = |schema: &Schema| {
        let types = schema.others.iter().filter(|(_, other)| other.kind == OtherKind::Type);
        types.map(|(name, _)| name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(types(&written), types(&dumped));
    let compare = |key: &ObjectKey| match (written.definition(key), dumped.definition(key)) {
        (Some(left), Some(right)) => differences(key, &left, &right),
        (left, right) => vec![format!("{key}: {left:?} | {right:?}")],
    };
    let differences: Vec<_> = keys(&written).iter().flat_map(compare).collect();
    assert!(differences.is_empty(), "written | dumped:\n{}", differences.join("\n"));
}

#[test]
fn a_dump_of_15_replays() {
    replays("15.sql");
}

#[test]
fn a_dump_of_17_replays() {
    replays("17.sql");
}

#[test]
fn a_dump_of_18_replays() {
    replays("18.sql");
}
