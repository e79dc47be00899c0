//! The module `schema` that the functions of `run` steps see.

use migrate_core::name::QualifiedName;
use migrate_core::report::nearest_of;
use migrate_core::schema::{Departure, ObjectKey, Schema};
use proc_macro2::{Ident, TokenStream};
use quote::quote;

use crate::check::Checked;
use crate::constants::{self, Tree};
use crate::module::Migration;
use crate::report::Report;
use crate::statement::{Statement, StatementKind};
use crate::uses::{Uses, plain};

/// The module, if anybody asks for it. A name in it that history took away is reported where it is used.
pub fn schema(items: &TokenStream, migration: &Migration, checked: &Checked, report: &mut Report) -> TokenStream {
    let uses = Uses::of(items);
    let runs = !report.problems().is_empty() || has_run(&migration.up) || migration.down.as_deref().is_some_and(has_run);
    if !uses.mentioned || uses.own || !runs {
        return TokenStream::new();
    }
    let mut tree = Tree::of(&checked.at_runs);
    let paths = paths(&uses);
    let name = |path: &[Ident]| path.iter().map(plain).collect::<Vec<String>>();
    // what came in by `use other::*` may be a `schema` of the author's own
    if uses.glob && !paths.is_empty() && !paths.iter().any(|path| tree.has(&name(path))) {
        return TokenStream::new();
    }
    // where the schema isn't known, whatever is asked for may be there
    let known = checked.reliable && report.problems().is_empty();
    let mut told: Vec<Vec<String>> = Vec::new();
    for path in &paths {
        let names = name(path);
        let Some(missing) = (1..=names.len()).find(|end| !tree.has(names.get(..*end).unwrap_or_default())) else { continue };
        let missing_names = names.get(..missing).unwrap_or_default().to_vec();
        if known && !told.contains(&missing_names) {
            tell(&missing_names, path.get(missing - 1), &tree, &checked.at_runs, report);
        }
        told.push(missing_names);
        tree.stand_in(&names);
    }
    let (documentation, content) = (&tree.documentation, tree.expand());
    quote! {
        #[doc = #documentation]
        #[allow(dead_code, non_snake_case, non_upper_case_globals)]
        mod schema { #content }
    }
}

fn has_run(statements: &[Statement]) -> bool {
    statements.iter().any(|statement| match &statement.kind {
        StatementKind::Run { .. } => true,
        StatementKind::IfExists { body, .. } | StatementKind::Dialect { body, .. } => has_run(body),
        StatementKind::Sql(_) | StatementKind::Include { .. } | StatementKind::Assert { .. } => false,
    })
}

/// The paths, and what is named below a module that was imported: `use schema::documents; … documents::TITLE`.
fn paths(uses: &Uses) -> Vec<Vec<Ident>> {
    let mut paths: Vec<Vec<Ident>> = uses.paths.clone();
    for path in &uses.paths {
        let below = uses.members.iter().filter(|(module, _)| path.last() == Some(module));
        paths.extend(below.map(|(_, member)| path.iter().chain([member]).cloned().collect()));
    }
    paths
}

fn tell(names: &[String], at: Option<&Ident>, tree: &Tree, at_runs: &[Schema], report: &mut Report) {
    let (Some(at), Some((last, parents)), Some(schema)) = (at, names.split_last(), at_runs.last()) else { return };
    let place = report.place(at.span());
    let found = |departed: &ObjectKey| match departed {
        ObjectKey::Column(table, column) => is_table(table, parents) && constants::constant(column) == *last,
        ObjectKey::Table(table) => is_table(table, names),
        _ => false,
    };
    let departure = schema.departed.values().rev().find(|(key, _)| found(key)).map(|(key, departure)| (key, departure));
    let table = at_runs.iter().flat_map(|schema| schema.tables.keys()).find(|table| is_table(table, parents));
    let what = match (departure, table) {
        (Some((ObjectKey::Column(table, column), _)), _) => format!("column `{column}` in table `{table}`"),
        (Some((key, _)), _) => format!("{} `{}`", key.kind(), key.name()),
        (None, Some(table)) => format!("column `{}` in table `{table}`", last.to_lowercase()),
        (None, None) => format!("table `{last}`"),
    };
    let siblings = parents.iter().try_fold(tree, |tree, name| tree.modules.get(name));
    let known = siblings.into_iter().flat_map(|tree| tree.constants.keys().chain(tree.modules.keys()));
    let new_name = departure.and_then(|(key, departure)| renamed(key, departure, siblings));
    let nearest = new_name.or_else(|| nearest_of(last, known.map(String::as_str)).map(str::to_owned));
    let sometimes = at_runs.iter().any(|schema| Tree::of(std::slice::from_ref(schema)).has(names));
    if sometimes {
        report.gone_at_some_run(place, &what);
        return;
    }
    let note = match departure {
        Some((_, Departure { renamed_to: Some(to), origin })) => origin.place().map(|place| format!("renamed to `{to}` by {place}")),
        Some((_, Departure { origin, .. })) => origin.place().map(|place| format!("dropped by {place}")),
        None => None,
    };
    report.gone_at_run(place, &what, note.as_deref(), nearest.as_deref());
}

/// What a constant or module is called now, if it is there.
fn renamed(key: &ObjectKey, departure: &Departure, siblings: Option<&Tree>) -> Option<String> {
    let to = departure.renamed_to.as_deref()?.rsplit('.').next()?.into();
    let name = if matches!(key, ObjectKey::Column(..)) { constants::constant(&to) } else { constants::module(&to) };
    siblings.filter(|tree| tree.constants.contains_key(&name) || tree.modules.contains_key(&name)).map(|_| name)
}

fn is_table(table: &QualifiedName, path: &[String]) -> bool {
    let (schema, module) = (constants::schema_module(table), constants::module(&table.name));
    match path {
        [only] => schema.is_empty() && *only == module,
        [first, second] => *first == schema && *second == module,
        _ => false,
    }
}
