//! The difference of two schemas, as steps: by SQLite's `alter table` where that does it, else by a rebuild.

use super::convert::Conversion;
use super::plan::SqliteStep;
use super::project::project;
use super::rebuild::rebuild;
use super::{Unsupported, render, support, triggers};
use crate::name::{Name, QualifiedName};
use crate::schema::{Column, Constraint, ConstraintKind, Schema, Table};
use std::collections::BTreeSet;

/// What the difference of two schemas doesn't tell.
#[derive(Clone, Debug, Default)]
pub(super) struct Hints {
    /// What has another name now.
    pub(super) rename: Option<Rename>,
    /// What becomes of the values of columns.
    pub(super) conversions: Vec<(QualifiedName, Name, Conversion)>,
}

/// A rename that SQLite does itself: it follows it in indexes, views, triggers and foreign keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rename {
    /// Of a table.
    Table(QualifiedName, QualifiedName),
    /// Of a column.
    Column(QualifiedName, Name, Name),
}

impl Rename {
    /// The name that is gone afterwards.
    fn old(&self) -> &Name {
        match self {
            Self::Table(from, _) => &from.name,
            Self::Column(_, from, _) => from,
        }
    }

    fn reversed(&self) -> Self {
        match self {
            Self::Table(from, to) => Self::Table(to.clone(), from.clone()),
            Self::Column(table, from, to) => Self::Column(table.clone(), to.clone(), from.clone()),
        }
    }
}

impl Hints {
    /// The name that a table had before.
    pub(super) fn table_before(&self, name: &QualifiedName) -> QualifiedName {
        match &self.rename {
            Some(Rename::Table(from, to)) if to == name => from.clone(),
            _ => name.clone(),
        }
    }
}

/// The steps that make `after` out of `before`, neither of them projected.
pub(super) fn difference(before: &Schema, after: &Schema, hints: &Hints) -> Result<Vec<SqliteStep>, Unsupported> {
    let (before, after) = changed(before, after, hints);
    let (state, after) = (project(&before), project(&after));
    let mut steps = Vec::new();
    // SQLite looks at all views when it renames a column, and stops at one that it can't follow
    let again = matches!(hints.rename, Some(Rename::Column(..)));
    for (name, _) in state.views.iter().filter(|(name, view)| again || after.views.get(name) != Some(view)) {
        if let Some(rename) = hints.rename.as_ref().filter(|_| after.views.contains_key(name)) {
            triggers::can_follow(&state, &name.name, rename.old())?;
        }
        steps.push(SqliteStep::Statement(format!("drop view {}", render::quoted(&name.name))));
    }
    let mut renamed = state.clone();
    match hints.rename.as_ref().and_then(|rename| Some((rename, apply(rename, &mut renamed)?))) {
        // a rebuild makes triggers again as they are: only what is renamed after it does SQLite follow in them
        Some((rename, statement)) if !same_tables(&renamed, &after) => {
            let mut target = after.clone();
            apply(&rename.reversed(), &mut target);
            tables(&state, &target, hints, &mut steps)?;
            steps.push(statement);
        }
        Some((_, statement)) => {
            steps.push(statement);
            tables(&renamed, &after, hints, &mut steps)?;
        }
        None => tables(&state, &after, hints, &mut steps)?,
    }
    for (name, view) in after.views.iter().filter(|(name, view)| again || state.views.get(name) != Some(view)) {
        steps.push(SqliteStep::Statement(render::create_view(&name.name, view)));
        let triggers = triggers::on(&state, &name.name).map(|(_, trigger)| SqliteStep::Statement(trigger.sql.clone()));
        steps.extend(triggers);
    }
    Ok(steps)
}

/// Whether nothing has to be done to make the tables of one out of those of the other.
fn same_tables(left: &Schema, right: &Schema) -> bool {
    let same = |old: &Table, new: &Table| matches!(Alteration::of(old, new), Alteration::None) && old.indexes == new.indexes;
    left.tables.len() == right.tables.len()
        && left.tables.iter().all(|(name, table)| right.tables.get(name).is_some_and(|other| same(table, other)))
}

/// Makes the tables of `after` out of those of `state`, names and all.
fn tables(state: &Schema, after: &Schema, hints: &Hints, steps: &mut Vec<SqliteStep>) -> Result<(), Unsupported> {
    for table in after.tables.values() {
        if let Some(old) = state.tables.get(&table.name) {
            change(old, table, hints, state, steps)?;
        }
    }
    for name in state.tables.keys().filter(|name| !after.tables.contains_key(name)) {
        steps.push(SqliteStep::Statement(format!("drop table {}", render::quoted(&name.name))));
    }
    for table in after.tables.values().filter(|table| !state.tables.contains_key(&table.name)) {
        steps.push(SqliteStep::Statement(render::create_table(table, &table.name.name)));
        steps.extend(table.indexes.values().map(|index| SqliteStep::Statement(render::create_index(&table.name.name, index))));
    }
    Ok(())
}

/// The tables and views that aren't the same in both, so that a long chain doesn't project everything again and again.
fn changed(before: &Schema, after: &Schema, hints: &Hints) -> (Schema, Schema) {
    let enums_changed = before.enums != after.enums;
    let mut views: BTreeSet<&QualifiedName> = before.views.keys().filter(|name| before.views.get(name) != after.views.get(name)).collect();
    views.extend(after.views.keys().filter(|name| !before.views.contains_key(name)));
    if matches!(hints.rename, Some(Rename::Column(..))) {
        // those that read a view that is made again
        while let Some((name, _)) =
            before.views.iter().find(|(name, view)| !views.contains(name) && view.relations.iter().any(|read| views.contains(read)))
        {
            views.insert(name);
        }
    }
    let part = |schema: &Schema, other: &Schema| {
        let renamed = |name: &QualifiedName| match &hints.rename {
            Some(Rename::Table(from, to)) => name == from || name == to,
            Some(Rename::Column(table, ..)) => name == table,
            None => false,
        };
        let table = |name: &QualifiedName, table: &Table| {
            let named_type = enums_changed && table.columns.iter().any(|column| column.data_type.named().is_some());
            other.tables.get(name) != Some(table) || named_type || renamed(name)
        };
        Schema {
            tables: schema.tables.iter().filter(|(name, it)| table(name, it)).map(|(name, it)| (name.clone(), it.clone())).collect(),
            views: schema.views.iter().filter(|(name, _)| views.contains(name)).map(|(name, view)| (name.clone(), view.clone())).collect(),
            enums: schema.enums.clone(),
            sqlite_triggers: schema.sqlite_triggers.clone(),
            ..Schema::default()
        }
    };
    (part(before, after), part(after, before))
}

/// The statement that renames, and `state` as SQLite leaves it. Nothing if the thing isn't there.
fn apply(rename: &Rename, state: &mut Schema) -> Option<SqliteStep> {
    let statement = match rename {
        Rename::Table(from, to) => {
            let mut table = state.tables.remove(from)?;
            table.name = to.clone();
            state.tables.insert(to.clone(), table);
            let keys = state.tables.values_mut().flat_map(|table| table.constraints.values_mut());
            for constraint in keys {
                if let ConstraintKind::ForeignKey(key) = &mut constraint.kind
                    && key.references == *from
                {
                    key.references = to.clone();
                }
            }
            for trigger in state.sqlite_triggers.values_mut().filter(|trigger| trigger.on == from.name) {
                trigger.on = to.name.clone();
            }
            format!("alter table {} rename to {}", render::quoted(&from.name), render::quoted(&to.name))
        }
        Rename::Column(table, from, to) => {
            let target = state.tables.get_mut(table)?;
            target.column(from.as_str())?;
            target.rename_column(from.as_str(), to);
            for constraint in state.tables.values_mut().flat_map(|table| table.constraints.values_mut()) {
                if let ConstraintKind::ForeignKey(key) = &mut constraint.kind
                    && key.references == *table
                {
                    for column in key.referenced_columns.iter_mut().filter(|column| *column == from) {
                        *column = to.clone();
                    }
                }
            }
            format!("alter table {} rename column {} to {}", render::quoted(&table.name), from.quoted(), to.quoted())
        }
    };
    Some(SqliteStep::Statement(statement))
}

/// Makes the table `new` out of `old`.
fn change(old: &Table, new: &Table, hints: &Hints, state: &Schema, steps: &mut Vec<SqliteStep>) -> Result<(), Unsupported> {
    let alteration = match Alteration::of(old, new) {
        Alteration::Rebuild => {
            support::can_rebuild(old)?;
            let conversions: Vec<_> = hints
                .conversions
                .iter()
                .filter(|(table, ..)| *table == new.name)
                .map(|(_, column, conversion)| (column.clone(), conversion.clone()))
                .collect();
            let statements = rebuild(old, new, &conversions, state);
            steps.push(SqliteStep::Rebuild { table: new.name.name.to_string(), statements });
            return Ok(());
        }
        Alteration::None => None,
        Alteration::Statement(statement) => Some(statement),
    };
    let gone = old.indexes.values().filter(|index| new.indexes.get(&index.name) != Some(index));
    steps.extend(gone.map(|index| SqliteStep::Statement(format!("drop index {}", index.name.quoted()))));
    steps.extend(alteration.map(SqliteStep::Statement));
    let come = new.indexes.values().filter(|index| old.indexes.get(&index.name) != Some(index));
    steps.extend(come.map(|index| SqliteStep::Statement(render::create_index(&new.name.name, index))));
    Ok(())
}

/// What a change of a table's columns and constraints takes.
enum Alteration {
    None,
    Statement(String),
    Rebuild,
}

impl Alteration {
    fn of(old: &Table, new: &Table) -> Self {
        let table = render::quoted(&new.name.name);
        let added: Vec<_> = new.columns.iter().filter(|column| old.column(column.name.as_str()).is_none()).collect();
        let dropped: Vec<_> = old.columns.iter().filter(|column| new.column(column.name.as_str()).is_none()).collect();
        let same_column = |column: &Column| new.column(column.name.as_str()).is_none_or(|other| other == column);
        if old.options != new.options || !old.columns.iter().all(same_column) {
            return Self::Rebuild;
        }
        match (added.as_slice(), dropped.as_slice()) {
            ([], []) if same_constraints(old, new) => Self::None,
            ([column], []) if can_add(column, old, new) => {
                Self::Statement(format!("alter table {table} add column {}", render::column(column, new)))
            }
            ([], [column]) if can_drop(column, old, new) => {
                Self::Statement(format!("alter table {table} drop column {}", column.name.quoted()))
            }
            _ => Self::Rebuild,
        }
    }
}

fn same_constraints(old: &Table, new: &Table) -> bool {
    old.constraints.len() == new.constraints.len() && old.constraints.iter().all(|(name, it)| new.constraints.get(name) == Some(it))
}

/// SQLite adds a column without reading the rows: they must all get one constant, and no key may be on it. (Manual,
/// "ALTER TABLE", section 4.)
fn can_add(column: &Column, old: &Table, new: &Table) -> bool {
    let kept = old.constraints.iter().all(|(name, it)| new.constraints.get(name) == Some(it));
    let own: Vec<&Constraint> = new.constraints.iter().filter(|(name, _)| !old.constraints.contains_key(*name)).map(|(_, it)| it).collect();
    let behind = own.iter().all(|constraint| {
        let kind = matches!(constraint.kind, ConstraintKind::ForeignKey(_) | ConstraintKind::Check { .. });
        kind && render::home(constraint, new) == Some(&column.name)
    });
    let references = own.iter().any(|constraint| matches!(constraint.kind, ConstraintKind::ForeignKey(_)));
    let filled = match (&column.default, &column.generated) {
        (_, Some(generated)) => !generated.stored && !column.not_null,
        (Some(default), None) => render::is_constant(default) && !references,
        (None, None) => !column.not_null,
    };
    let last = new.columns.last().is_some_and(|last| last.name == column.name);
    kept && behind && filled && last && column.identity.is_none()
}

/// SQLite drops a column that nothing else mentions. (Manual, "ALTER TABLE", section 5.)
fn can_drop(column: &Column, old: &Table, new: &Table) -> bool {
    let name = column.name.as_str();
    let goes_with_it = |constraint: &Constraint| {
        matches!(constraint.kind, ConstraintKind::Check { .. }) && render::home(constraint, old) == Some(&column.name)
    };
    let constraints = old.constraints.iter().all(|(name, it)| match new.constraints.get(name) {
        Some(other) => other == it,
        None => goes_with_it(it),
    });
    let mentioned = new.columns.iter().any(|other| other.generated.as_ref().is_some_and(|it| it.expression.mentions(name)))
        || new.constraints.values().any(|constraint| constraint.kind.involves(name))
        || new.indexes.values().any(|index| index.involves(name));
    constraints && new.constraints.len() <= old.constraints.len() && !mentioned
}
