//! `create view`, `create materialized view`.
//!
//! - **SQL**: `create or replace view published as select id, title from documents where published`
//! - **Lock**: access share on what the query reads; access exclusive on a view that is replaced
//! - **Rewrites**: nothing; a materialized view reads what its query reads
//! - **Transaction**: inside
//! - **Undo**: `drop view`; of `or replace` the previous definition
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `CREATE VIEW`, `CREATE MATERIALIZED VIEW`

use crate::effects::{Effects, LockMode};
use crate::name::{Name, QualifiedName, quoted_list};
use crate::operation::{Inverse, NoInverse, Operate, Operation};
use crate::ops::{CommentOn, CommentTarget, DropView, create_index};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema, View};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Creates or replaces a view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateView {
    /// The view's name.
    pub name: QualifiedName,
    /// Its definition.
    pub view: View,
    /// `or replace`.
    #[serde(default)]
    pub or_replace: bool,
    /// `if not exists`, of a materialized view.
    #[serde(default)]
    pub if_not_exists: bool,
    /// `with no data`, of a materialized view.
    #[serde(default)]
    pub without_data: bool,
}

impl CreateView {
    /// What creates `view` as it is, its comment not included.
    #[must_use]
    pub fn of(name: &QualifiedName, view: &View) -> Self {
        let view = View { indexes: IndexMap::new(), unmodelled: BTreeSet::new(), ..view.clone() };
        Self { name: name.clone(), view, or_replace: false, if_not_exists: false, without_data: false }
    }

    fn key(&self) -> ObjectKey {
        ObjectKey::View(self.name.clone())
    }

    /// The view that is replaced.
    fn replaced<'a>(&self, schema: &'a Schema) -> Option<&'a View> {
        schema.views.get(&self.name).filter(|view| self.or_replace && !view.materialized)
    }

    /// `create or replace` may only add columns at the end.
    fn check_columns(&self, replaced: &View, report: &mut Report) {
        let (Some(before), Some(after)) = (&replaced.output, &self.view.output) else { return };
        let other = before.iter().enumerate().find(|(i, column)| after.get(*i) != Some(column));
        if let Some((i, column)) = other {
            let found = after.get(i).map_or_else(|| "ends".to_owned(), |found| format!("has `{found}`"));
            let message = format!("view `{}` has a column `{column}` where the new query {found}", self.name);
            report.problem(after.get(i).map_or(self.name.at(), |found| found.at), message).help =
                Some("drop the view first: `create or replace` can only add columns at the end".to_owned());
        }
    }
}

impl Operate for CreateView {
    fn describe(&self) -> String {
        let verb = if self.or_replace { "create or replace" } else { "create" };
        format!("{verb} {} `{}`", self.view.kind(), self.name)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        let relations = self.view.relations.iter().filter(|relation| **relation != self.name);
        super::schema_of(&self.name).into_iter().chain(relations.map(|relation| ObjectKey::Table(relation.clone()))).collect()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![self.key()]
    }

    fn bind(&mut self, schema: &Schema) {
        let offset = self.view.query.at.start as usize;
        let written = self.view.query.clone();
        let stars = self.view.query.expand_stars(&|relation| schema.columns_of_relation(relation));
        if !stars.is_empty() {
            self.view.written.query.get_or_insert(written);
        }
        let starred = &self.view.written.results;
        if self.view.output.is_none() && !starred.is_empty() {
            let columns = |name: &Name| match name.as_str() {
                "*" => stars.iter().find(|(at, _)| *at + offset == name.at.start as usize).map(|(_, columns)| columns.clone()),
                _ => Some(vec![name.clone()]),
            };
            let output = starred.iter().map(columns).collect::<Option<Vec<_>>>().map(|columns| columns.concat());
            let own = &self.view.columns;
            self.view.output = output.map(|output| own.iter().cloned().chain(output.into_iter().skip(own.len())).collect());
        }
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        if self.if_not_exists && schema.views.contains_key(&self.name) {
            return;
        }
        report.check_length(&self.view.columns);
        match self.replaced(schema) {
            Some(replaced) => self.check_columns(replaced, report),
            None => report.relation_is_free(schema, &self.key(), &self.name),
        }
        for relation in &self.view.relations {
            if schema.temporary(relation).is_some() {
                let message = format!("view `{}` reads temporary table `{relation}`, and would be gone with the session", self.name);
                report.problem(relation.at(), message).help =
                    Some("write `create temporary view`, or make the table a lasting one".to_owned());
            } else {
                report.needs_relation(schema, relation);
            }
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        let replaced = schema.views.get(&self.name);
        if self.if_not_exists && replaced.is_some() {
            return;
        }
        let comment = replaced.and_then(|view| view.comment.clone());
        let (access, unmodelled) = replaced.map(|view| (view.access.clone(), view.unmodelled.clone())).unwrap_or_default();
        let view = View { comment, access, unmodelled, origin: origin.clone(), ..self.view.clone() };
        schema.views.insert(self.name.clone(), view);
    }

    fn effects(&self, schema: &Schema) -> Effects {
        let replaced = self.replaced(schema).map(|_| Effects::lock(&self.name, LockMode::AccessExclusive));
        let relations = self.view.relations.iter().filter(|relation| **relation != self.name);
        let effects = relations.fold(replaced.unwrap_or_default(), |effects, relation| effects.and_lock(relation, LockMode::AccessShare));
        if !self.view.materialized || self.without_data {
            return effects;
        }
        let read = schema.tables_read_through(&self.view.relations);
        read.iter().fold(effects, |effects, table| effects.and_lock(table, LockMode::AccessShare).and_scan(table))
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        let drop = DropView { name: self.name.clone(), materialized: self.view.materialized, cascade: false, if_exists: false };
        let Some(view) = before.views.get(&self.name) else { return Ok(vec![drop.into()]) };
        if self.if_not_exists {
            return Ok(Vec::new());
        }
        let same_columns = view.output.is_some() && view.output == self.view.output;
        if same_columns {
            return Ok(vec![Self { or_replace: true, ..Self::of(&self.name, view) }.into()]);
        }
        let again = drop.inverse(before);
        let again = again.map_err(|no| NoInverse::because(format!("columns that were added can't be replaced away, and {}", no.reason)))?;
        Ok(std::iter::once(drop.into()).chain(again).collect())
    }

    fn render(&self) -> Vec<String> {
        let View { columns, options, query, .. } = &self.view;
        let verb = if self.or_replace { "create or replace" } else { "create" };
        let mut sql = format!("{verb} {} {}", self.view.kind(), self.name.quoted());
        if !columns.is_empty() {
            let _ = write!(sql, " ({})", quoted_list(columns));
        }
        if !options.is_empty() {
            let _ = write!(sql, " {options}");
        }
        let _ = write!(sql, " as\n{}", query.sql());
        if self.without_data {
            sql.push_str("\nwith no data");
        }
        vec![sql]
    }
}

/// The operations that create `view` as it is, with its comment and its indexes.
pub(super) fn recreate(name: &QualifiedName, view: &View) -> impl Iterator<Item = Operation> + use<> {
    let target = if view.materialized {
        CommentTarget::MaterializedView(name.clone())
    } else {
        CommentTarget::Object(ObjectKey::View(name.clone()))
    };
    let comment = CommentOn { target, comment: view.comment.clone(), unmodelled: false };
    let indexes = view.indexes.values().map(|index| create_index::recreate(name, Vec::new(), index, false).into());
    let indexes: Vec<Operation> = indexes.collect();
    let access = super::access::restore(&ObjectKey::View(name.clone()), &view.access);
    std::iter::once(CreateView::of(name, view).into()).chain(view.comment.is_some().then(|| comment.into())).chain(indexes).chain(access)
}

#[cfg(feature = "parser")]
mod lower {
    use super::CreateView;
    use crate::expression::Expression;
    use crate::lower::{relations, syntax};
    use crate::name::{Name, quoted_list};
    use crate::schema::{AsWritten, View};
    use squawk_syntax::ast::{self, AstNode};
    use squawk_syntax::column_name::ColumnName;

    impl CreateView {
        /// `None` for temporary views.
        pub(crate) fn lower(statement: &ast::CreateView) -> Option<Self> {
            if statement.persistence().is_some() {
                return None;
            }
            let name = syntax::path(&statement.view()?.path()?)?;
            let mut view = view(statement.column_list(), &statement.query()?);
            let parameters = statement.with_params().and_then(|it| it.attribute_list());
            let mut parameters: Vec<_> =
                parameters.iter().flat_map(ast::AttributeList::attribute_options).map(|it| parameter(&it)).collect();
            parameters.extend(statement.with_check_option().map(|it| match it.check_option_level() {
                Some(ast::CheckOptionLevel::LocalCheckOption(_)) => "check_option = local".to_owned(),
                _ => "check_option = cascaded".to_owned(),
            }));
            if !parameters.is_empty() {
                view.options = format!("with ({})", parameters.join(", "));
            }
            if statement.recursive_token().is_some() {
                let columns = quoted_list(&view.columns);
                let own = name.name.quoted();
                let sql = format!("with recursive {own} ({columns}) as ({}) select {columns} from {own}", view.query.sql());
                view.query = Expression::written(sql, view.query.at);
                view.output = Some(std::mem::take(&mut view.columns));
                view.relations.retain(|relation| *relation != name);
            }
            Some(Self { name, view, or_replace: statement.or_replace().is_some(), if_not_exists: false, without_data: false })
        }

        pub(crate) fn lower_materialized(statement: &ast::CreateMaterializedView) -> Option<Self> {
            let name = syntax::path(&statement.view()?.path()?)?;
            let mut view = view(statement.column_list(), &statement.query()?);
            view.materialized = true;
            let options = [
                statement.using_method().map(|it| syntax::spelt(it.syntax())),
                statement.with_params().map(|it| syntax::spelt(it.syntax())),
                statement.tablespace_clause().map(|it| syntax::spelt(it.syntax())),
            ];
            view.options = options.into_iter().flatten().collect::<Vec<_>>().join(" ");
            let without_data = matches!(statement.data_option(), Some(ast::DataOption::WithNoData(_)));
            Some(Self { name, view, or_replace: false, if_not_exists: statement.if_not_exists().is_some(), without_data })
        }
    }

    /// A parameter without a value is on; `pg_dump` writes values as strings.
    fn parameter(option: &ast::AttributeOption) -> String {
        let sql = syntax::spelt(option.syntax());
        match sql.split_once(" = ") {
            Some((name, value)) => {
                let bare = value.trim_matches('\'');
                let plain = bare.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
                format!("{name} = {}", if plain { bare } else { value })
            }
            None => format!("{sql} = true"),
        }
    }

    fn view(columns: Option<ast::ColumnList>, query: &ast::SelectVariant) -> View {
        let mut columns: Vec<Name> = columns.iter().flat_map(ast::ColumnList::column_names).map(|column| syntax::name(&column)).collect();
        let output = output(query).map(|output| columns.iter().cloned().chain(output.into_iter().skip(columns.len())).collect());
        let text = syntax::text(query.syntax());
        let sql = with_aliases(query, &columns).inspect(|_| columns.clear()).unwrap_or(text);
        let sql = sql.trim_end_matches(';').trim_end().to_owned();
        let mut relations = Vec::new();
        for relation in relations::read_by(query.syntax()) {
            if !relations.contains(&relation) {
                relations.push(relation);
            }
        }
        View {
            columns,
            output,
            query: Expression::written(sql, syntax::at(query.syntax())),
            relations,
            written: AsWritten { results: starred(query).unwrap_or_default(), query: None },
            ..View::default()
        }
    }

    /// The query with the view's column list as aliases of its targets, as PostgreSQL keeps it. `None` where a `*` or an
    /// `order by`, which may mean an alias or a column, stands in the way.
    fn with_aliases(query: &ast::SelectVariant, columns: &[Name]) -> Option<String> {
        let ast::SelectVariant::Select(select) = query else { return None };
        let targets: Vec<_> = select.select_clause()?.target_list()?.targets().take(columns.len()).collect();
        let ordered = select.tail_clauses().next().is_some();
        let plain = targets.iter().all(|target| target.star_token().is_none() && target.as_name().is_none());
        if columns.is_empty() || targets.len() < columns.len() || ordered || !plain {
            return None;
        }
        let mut sql = syntax::text(query.syntax());
        let start = syntax::at(query.syntax()).range().start;
        for (target, column) in targets.iter().zip(columns).rev() {
            let end = syntax::at(target.syntax()).range().end.checked_sub(start)?;
            let named = target_name(target).is_some_and(|name| name == *column);
            if !named {
                sql.get(end..)?;
                sql.insert_str(end, &format!(" as {}", column.quoted()));
            }
        }
        Some(sql)
    }

    /// What the columns of a query are called; `None` where `*` leaves that to the tables.
    fn output(query: &ast::SelectVariant) -> Option<Vec<Name>> {
        starred(query).filter(|names| names.iter().all(|name| name.as_str() != "*"))
    }

    /// The same with `*` where it stands.
    fn starred(query: &ast::SelectVariant) -> Option<Vec<Name>> {
        let name = |target: ast::Target| {
            let is_star = syntax::text(target.syntax()).ends_with('*');
            if is_star { Some(Name::written("*", syntax::at(target.syntax()))) } else { target_name(&target) }
        };
        query.target_list()?.targets().map(name).collect()
    }

    fn target_name(target: &ast::Target) -> Option<Name> {
        let (name, node) = ColumnName::from_target(target.clone())?;
        name.to_string().filter(|name| name != "?column?").map(|name| Name::written(name, syntax::at(&node)))
    }
}
