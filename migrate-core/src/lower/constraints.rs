//! Constraints, behind a column and behind a table alike. Unnamed ones get their name from `bind`.

use super::{indexes, syntax};
use crate::expression::Expression;
use crate::name::Name;
use crate::schema::{Constraint, ConstraintKind, Deferral, ForeignKey, Key, MatchType, ReferentialAction};
use squawk_syntax::ast::{self, AstChildren, AstNode};

/// A constraint in the list of `create table`. `None` for what isn't one of its own: not null, `using index`, temporal
/// keys.
pub(crate) fn table_constraint(constraint: &ast::TableConstraint) -> Option<Constraint> {
    match constraint {
        ast::TableConstraint::PrimaryKeyConstraint(it) if it.using_index().is_some() => None,
        ast::TableConstraint::UniqueConstraint(it) if it.using_index().is_some() => None,
        ast::TableConstraint::PrimaryKeyConstraint(it) => primary_key(it, None),
        ast::TableConstraint::UniqueConstraint(it) => unique(it, None),
        ast::TableConstraint::CheckConstraint(it) => check(it),
        ast::TableConstraint::ForeignKeyConstraint(it) => foreign_key(it),
        ast::TableConstraint::ExcludeConstraint(it) => exclude(it),
        ast::TableConstraint::NotNullConstraint(_) => None,
    }
}

/// A constraint behind `alter table … add`. With `using index` its key is empty until the schema is known.
pub(crate) fn added(constraint: &ast::Constraint) -> Option<Constraint> {
    match constraint {
        ast::Constraint::PrimaryKeyConstraint(it) => primary_key(it, None),
        ast::Constraint::UniqueConstraint(it) => unique(it, None),
        ast::Constraint::CheckConstraint(it) => check(it),
        ast::Constraint::ForeignKeyConstraint(it) => foreign_key(it),
        ast::Constraint::ExcludeConstraint(it) => exclude(it),
        _ => None,
    }
}

pub(crate) fn primary_key(constraint: &ast::PrimaryKeyConstraint, columns: Option<Vec<Name>>) -> Option<Constraint> {
    let key = key(constraint.using_index().is_some(), constraint.index_parameters(), columns)?;
    finish(constraint.constraint_name_clause(), ConstraintKind::PrimaryKey(key), constraint.constraint_options())
}

pub(crate) fn unique(constraint: &ast::UniqueConstraint, columns: Option<Vec<Name>>) -> Option<Constraint> {
    let key = key(constraint.using_index().is_some(), constraint.index_parameters(), columns)?;
    finish(constraint.constraint_name_clause(), ConstraintKind::Unique(key), constraint.constraint_options())
}

fn key(using_index: bool, parameters: Option<ast::IndexParameters>, columns: Option<Vec<Name>>) -> Option<Key> {
    if using_index {
        return Some(Key::default());
    }
    if parameters.as_ref().is_some_and(|it| it.constraint_index_tablespace().is_some()) {
        return None;
    }
    let list = parameters.as_ref().and_then(ast::IndexParameters::column_list);
    if list.as_ref().is_some_and(|list| list.without_overlaps().is_some()) {
        return None;
    }
    let columns = match (columns, list) {
        (Some(columns), None) => columns,
        (_, Some(list)) => list.column_name_refs().map(|column| syntax::name(&column)).collect(),
        (None, None) => return None,
    };
    let include = parameters.as_ref().and_then(ast::IndexParameters::constraint_include_clause).and_then(|it| it.column_ref_list());
    let nulls = parameters.as_ref().and_then(ast::IndexParameters::nulls_distinct_option);
    Some(Key {
        columns,
        include: include.iter().flat_map(ast::ColumnRefList::column_name_refs).map(|column| syntax::name(&column)).collect(),
        nulls_not_distinct: matches!(nulls, Some(ast::NullsDistinctOption::NullsNotDistinct(_))),
        storage: parameters.and_then(|it| it.with_params()).map(|it| indexes::storage(&it)).unwrap_or_default(),
    })
}

pub(crate) fn check(constraint: &ast::CheckConstraint) -> Option<Constraint> {
    let no_inherit = constraint.constraint_options().any(|option| matches!(option, ast::ConstraintOption::NoInherit(_)));
    let kind = ConstraintKind::Check { expression: syntax::expression(&constraint.expr()?), no_inherit };
    finish(constraint.constraint_name_clause(), kind, constraint.constraint_options())
}

fn exclude(constraint: &ast::ExcludeConstraint) -> Option<Constraint> {
    let text = syntax::text(constraint.syntax());
    let start = constraint.exclude_token()?.text_range().end();
    let offset = usize::from(start).checked_sub(syntax::at(constraint.syntax()).range().start)?;
    let mut definition = text.get(offset..)?.trim().to_owned();
    if let Some(option) = constraint.constraint_options().next() {
        let end = syntax::at(option.syntax()).range().start.checked_sub(usize::from(start))?;
        text.get(offset..offset + end)?.trim().clone_into(&mut definition);
    }
    let mut definition = Expression::written(definition, syntax::at(constraint.syntax()));
    definition.references = syntax::references(constraint.syntax());
    let kind = ConstraintKind::Exclude { definition };
    finish(constraint.constraint_name_clause(), kind, constraint.constraint_options())
}

/// `references …` behind a column.
pub(crate) fn references(constraint: &ast::ReferencesConstraint, columns: Vec<Name>) -> Option<Constraint> {
    let mut key = ForeignKey {
        columns,
        references: syntax::table_ref(&constraint.table()?)?,
        referenced_columns: constraint.column().iter().map(syntax::name).collect(),
        on_delete: ReferentialAction::NoAction,
        on_delete_columns: Vec::new(),
        on_update: ReferentialAction::NoAction,
        match_type: match_type(constraint.match_type()),
    };
    actions(&mut key, constraint.referential_actions())?;
    finish(constraint.constraint_name_clause(), ConstraintKind::ForeignKey(key), constraint.constraint_options())
}

pub(crate) fn foreign_key(constraint: &ast::ForeignKeyConstraint) -> Option<Constraint> {
    let names = |list: Option<ast::ForeignKeyColumnList>| -> Option<Vec<Name>> {
        let Some(list) = list else { return Some(Vec::new()) };
        if list.period_column().is_some() {
            return None;
        }
        Some(list.column_name_refs().map(|column| syntax::name(&column)).collect())
    };
    let mut key = ForeignKey {
        columns: names(constraint.from_columns())?,
        references: syntax::table_ref(&constraint.table_name_ref()?)?,
        referenced_columns: names(constraint.to_columns())?,
        on_delete: ReferentialAction::NoAction,
        on_delete_columns: Vec::new(),
        on_update: ReferentialAction::NoAction,
        match_type: match_type(constraint.match_type()),
    };
    actions(&mut key, constraint.referential_actions())?;
    finish(constraint.constraint_name_clause(), ConstraintKind::ForeignKey(key), constraint.constraint_options())
}

fn match_type(match_type: Option<ast::MatchType>) -> MatchType {
    match match_type {
        Some(ast::MatchType::MatchFull(_)) => MatchType::Full,
        _ => MatchType::Simple,
    }
}

fn actions(key: &mut ForeignKey, actions: AstChildren<ast::ReferentialAction>) -> Option<()> {
    for action in actions {
        match action {
            ast::ReferentialAction::OnDeleteAction(it) => (key.on_delete, key.on_delete_columns) = action_of(&it.ref_action()?),
            ast::ReferentialAction::OnUpdateAction(it) => key.on_update = action_of(&it.ref_action()?).0,
        }
    }
    Some(())
}

fn action_of(action: &ast::RefAction) -> (ReferentialAction, Vec<Name>) {
    let names = |list: Option<ast::ColumnRefList>| -> Vec<Name> {
        list.iter().flat_map(ast::ColumnRefList::column_name_refs).map(|column| syntax::name(&column)).collect()
    };
    match action {
        ast::RefAction::NoAction(_) => (ReferentialAction::NoAction, Vec::new()),
        ast::RefAction::Restrict(_) => (ReferentialAction::Restrict, Vec::new()),
        ast::RefAction::Cascade(_) => (ReferentialAction::Cascade, Vec::new()),
        ast::RefAction::SetNullColumns(it) => (ReferentialAction::SetNull, names(it.column_ref_list())),
        ast::RefAction::SetDefaultColumns(it) => (ReferentialAction::SetDefault, names(it.column_ref_list())),
    }
}

fn finish(
    name: Option<ast::ConstraintNameClause>,
    kind: ConstraintKind,
    options: AstChildren<ast::ConstraintOption>,
) -> Option<Constraint> {
    let name = name.and_then(|clause| clause.constraint_name()).map_or_else(|| Name::new(""), |name| syntax::name(&name));
    let mut constraint = Constraint::new(name, kind);
    for option in options {
        match option {
            ast::ConstraintOption::NotValid(_) => constraint.validated = false,
            ast::ConstraintOption::DeferrableConstraintOption(_) if constraint.deferral == Deferral::No => {
                constraint.deferral = Deferral::Immediate;
            }
            ast::ConstraintOption::InitiallyDeferredConstraintOption(_) => constraint.deferral = Deferral::Deferred,
            ast::ConstraintOption::NotEnforced(_) => return None,
            _ => {}
        }
    }
    Some(constraint)
}

/// When a constraint trigger fires.
pub(crate) fn deferral(options: AstChildren<ast::ConstraintOption>) -> Deferral {
    options.fold(Deferral::No, |deferral, option| match (option, deferral) {
        (ast::ConstraintOption::DeferrableConstraintOption(_), Deferral::No) => Deferral::Immediate,
        (ast::ConstraintOption::InitiallyDeferredConstraintOption(_), _) => Deferral::Deferred,
        _ => deferral,
    })
}
