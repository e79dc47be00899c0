//! What SQLite can't say, looked for in what an operation adds or changes. What was there before it is none of its business.

use super::Unsupported;
use super::project;
use super::translate;
use super::types::{self, Storage};
use crate::name::{DEFAULT_SCHEMA, QualifiedName};
use crate::schema::{Column, Constraint, ConstraintKind, Deferral, Identity, Index, IndexKeyKind, Key, MatchType, Schema, Table, View};

/// Refuses what is in `after`, other than it was in `before`, and can't be said. `renamed` tells a table's name before.
pub(super) fn check(before: &Schema, after: &Schema, renamed: impl Fn(&QualifiedName) -> QualifiedName) -> Result<(), Unsupported> {
    for table in after.tables.values() {
        let old = before.tables.get(&renamed(&table.name));
        if old != Some(table) {
            self::table(table, old, after)?;
        }
    }
    for (name, view) in after.views.iter().filter(|(name, view)| before.views.get(name) != Some(view)) {
        self::view(name, view, after)?;
    }
    Ok(())
}

fn table(table: &Table, old: Option<&Table>, schema: &Schema) -> Result<(), Unsupported> {
    in_default_schema(&table.name)?;
    if table.is_partitioned() || table.partition.is_some() {
        return Err(Unsupported::new("SQLite has no partitions"));
    }
    if !table.inherits.is_empty() {
        return Err(Unsupported::new("SQLite has no inheritance"));
    }
    if table.columns.is_empty() {
        return Err(Unsupported::new("SQLite has no tables without columns"));
    }
    for column in &table.columns {
        if old.and_then(|old| old.column(column.name.as_str())) != Some(column) {
            self::column(column, table, schema)?;
        }
    }
    for constraint in table.constraints.values() {
        if old.and_then(|old| old.constraints.get(&constraint.name)) != Some(constraint) {
            self::constraint(constraint, schema)?;
        }
    }
    for index in table.indexes.values() {
        if old.and_then(|old| old.indexes.get(&index.name)) != Some(index) {
            self::index(index, schema)?;
        }
    }
    Ok(())
}

/// Refuses a table or view outside of the default schema.
pub(super) fn in_default_schema(name: &QualifiedName) -> Result<(), Unsupported> {
    if name.schema == *DEFAULT_SCHEMA { Ok(()) } else { Err(Unsupported::new(format!("SQLite has no schema `{}`", name.schema))) }
}

fn column(column: &Column, table: &Table, schema: &Schema) -> Result<(), Unsupported> {
    if !types::is_foreign(&column.data_type) {
        types::storage(&column.data_type, schema)?;
    }
    if project::is_automatic(column) {
        if !project::is_rowid(column, table, schema) {
            let message = format!("SQLite numbers rows by their primary key only, and `{}.{}` isn't it", table.name, column.name);
            let help = "make it the primary key, or put the statement into a `postgres { … }` block";
            return Err(Unsupported::with_help(message, help));
        }
        if column.identity.as_ref().is_some_and(has_options) {
            return Err(Unsupported::new("SQLite's autoincrement starts at 1 and counts by 1"));
        }
    } else if let Some(default) = &column.default {
        translate::expression(default, schema)?;
        let truth = types::storage(&column.data_type, schema) == Ok(Storage::Boolean);
        if truth && project::default(default, column, schema).sql().starts_with('\'') {
            return Err(Unsupported::new(format!("`{}` is no truth value", default.sql())));
        }
    }
    if let Some(generated) = &column.generated {
        translate::deterministic(&generated.expression, schema)?;
    }
    collation(column.collation.as_deref())
}

fn has_options(identity: &Identity) -> bool {
    let options = &identity.options;
    let start = options.start.is_some() || options.increment.is_some() || options.cycle;
    start || options.minimum.is_some_and(|minimum| minimum != 1)
}

fn collation(name: Option<&str>) -> Result<(), Unsupported> {
    const OWN: &[&str] = &["binary", "c", "c.utf-8", "c.utf8", "default", "nocase", "pg_c_utf8", "posix", "rtrim", "ucs_basic"];
    match name {
        Some(name) if !OWN.contains(&name.to_ascii_lowercase().as_str()) => {
            Err(Unsupported::new(format!("SQLite has no collation `{name}`")))
        }
        _ => Ok(()),
    }
}

fn constraint(constraint: &Constraint, schema: &Schema) -> Result<(), Unsupported> {
    match &constraint.kind {
        ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => {
            if constraint.deferral != Deferral::No {
                return Err(Unsupported::new(format!("SQLite can't defer `{}`: only foreign keys wait for the commit", constraint.name)));
            }
            self::key(key)
        }
        ConstraintKind::ForeignKey(key) => {
            in_default_schema(&key.references)?;
            if !key.on_delete_columns.is_empty() && key.on_delete_columns != key.columns {
                return Err(Unsupported::new("SQLite sets all columns of a foreign key or none"));
            }
            if key.match_type == MatchType::Full && key.columns.len() > 1 {
                return Err(Unsupported::new("SQLite has no `match full`"));
            }
            Ok(())
        }
        ConstraintKind::Check { expression, .. } => translate::deterministic(expression, schema).map(|_| ()),
        ConstraintKind::Exclude { .. } => Err(Unsupported::new("SQLite has no exclusion constraints")),
    }
}

fn key(key: &Key) -> Result<(), Unsupported> {
    if !key.include.is_empty() {
        return Err(Unsupported::new("SQLite has no `include`"));
    }
    if key.nulls_not_distinct {
        return Err(Unsupported::new("SQLite has no `nulls not distinct`"));
    }
    Ok(())
}

fn index(index: &Index, schema: &Schema) -> Result<(), Unsupported> {
    if !matches!(index.method.as_str(), "btree" | "hash") {
        return Err(Unsupported::new(format!("SQLite has no `{}` indexes", index.method)));
    }
    if !index.include.is_empty() {
        return Err(Unsupported::new("SQLite has no `include`"));
    }
    if index.nulls_not_distinct && index.unique {
        return Err(Unsupported::new("SQLite has no `nulls not distinct`"));
    }
    for key in &index.keys {
        if let IndexKeyKind::Expression(expression) = &key.kind {
            translate::deterministic(expression, schema)?;
        }
        collation(key.collation.as_deref())?;
    }
    if let Some(predicate) = &index.predicate {
        translate::deterministic(predicate, schema)?;
    }
    Ok(())
}

fn view(name: &QualifiedName, view: &View, schema: &Schema) -> Result<(), Unsupported> {
    in_default_schema(name)?;
    if view.materialized {
        return Err(Unsupported::new("SQLite has no materialized views"));
    }
    translate::query(&view.query, schema).map(|_| ())
}

/// Refuses to build a table anew that has something which the model can't hold.
pub(super) fn can_rebuild(table: &Table) -> Result<(), Unsupported> {
    let lost = table.options.split(", ").find_map(|option| option.strip_prefix(super::text::UNMODELLED));
    match lost {
        Some(lost) => Err(Unsupported::with_help(
            format!("table `{}` has to be built anew, which would lose {lost}", table.name),
            "change the table by hand in a `sqlite { … }` block",
        )),
        None => Ok(()),
    }
}
