//! `create table … as`, and `select … into`.
//!
//! - **SQL**: `create table recent as select id, title from documents where made > now() - interval '1 day'`
//! - **Lock**: access share on the tables that the query reads
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: `drop table`
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `CREATE TABLE AS`

use crate::data::Data;
use crate::data_type::DataType;
use crate::effects::{Effects, LockMode};
use crate::expression::Expression;
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, Operate};
use crate::ops::DropTable;
use crate::render;
use crate::report::Report;
use crate::schema::{Column, ObjectKey, Origin, OtherKind, OtherObject, Schema, Table};
use serde::{Deserialize, Serialize};

/// Creates a table with the rows of a query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateTableAs {
    /// The table, without columns.
    pub table: Table,
    /// The names of its columns, where they are written behind its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<Name>,
    /// The query.
    pub query: Expression,
    /// Whether the rows are left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_data: bool,
    /// `if not exists`.
    #[serde(default)]
    pub if_not_exists: bool,
    /// The tables and views that the query reads; once bound, those that the model knows.
    pub relations: Vec<QualifiedName>,
    /// The columns that the query names.
    #[serde(skip)]
    pub data: Data,
    /// What it selects, as far as that is certain from the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selected: Option<Selected>,
    /// The columns, once bound, where all of them are certain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<Column>>,
    /// The relations that it reads and nobody created, once bound.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<QualifiedName>,
}

/// A select list of which the model can tell names and types.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selected {
    /// The tables behind `from`, each with what it is called in the query.
    pub from: Vec<(Name, QualifiedName)>,
    /// What is selected, in its order.
    pub items: Vec<SelectedItem>,
}

/// One item of a select list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SelectedItem {
    /// `*`.
    All,
    /// A column.
    Column {
        /// What its table is called, where that is written.
        of: Option<Name>,
        /// The column.
        column: Name,
        /// `as`.
        called: Option<Name>,
    },
    /// Something cast to a type.
    Cast {
        /// What it is called.
        called: Name,
        /// The type.
        data_type: DataType,
    },
}

impl CreateTableAs {
    /// The columns that the query has; `None` where one of them isn't certain.
    fn shape(&self, schema: &Schema) -> Option<Vec<Column>> {
        let selected = self.selected.as_ref()?;
        let mut columns = Vec::new();
        // what a query gives has neither a default nor anything else that its source demands
        let taken = |column: &Column, called: &Name| Column {
            collation: column.collation.clone(),
            ..Column::new(called.clone(), column.data_type.clone())
        };
        for item in &selected.items {
            match item {
                SelectedItem::All => {
                    for (_, table) in &selected.from {
                        columns.extend(schema.table(table)?.columns.iter().map(|column| taken(column, &column.name)));
                    }
                }
                SelectedItem::Column { of, column, called } => {
                    let mut found = None;
                    for (_, table) in selected.from.iter().filter(|(name, _)| of.as_ref().is_none_or(|of| of == name)) {
                        found = found.or(schema.table(table)?.column(column.as_str()));
                    }
                    columns.push(taken(found?, called.as_ref().unwrap_or(column)));
                }
                SelectedItem::Cast { called, data_type } => columns.push(Column::new(called.clone(), data_type.clone())),
            }
        }
        for (column, name) in columns.iter_mut().zip(&self.names) {
            column.name = name.clone();
        }
        Some(columns)
    }
}

impl Operate for CreateTableAs {
    fn describe(&self) -> String {
        format!("create table `{}` as a query", self.table.name)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        self.relations.iter().cloned().map(ObjectKey::Table).collect()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        // of a table whose columns aren't known nothing can be told
        self.columns.iter().map(|_| ObjectKey::Table(self.table.name.clone())).collect()
    }

    fn bind(&mut self, schema: &Schema) {
        let known = |name: &QualifiedName| schema.tables.contains_key(name) || schema.views.contains_key(name);
        let (mut relations, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.relations).into_iter().partition(known);
        relations.dedup();
        self.relations = relations;
        self.missing.extend(others.into_iter().filter(|name| schema.relation_kind(name).is_none()));
        self.columns = self.shape(schema);
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        let name = &self.table.name;
        report.check_length([&name.name]);
        report.check_length(&self.names);
        report.needs_schema(schema, &name.schema);
        for (i, relation) in self.missing.iter().enumerate() {
            if !self.missing[..i].contains(relation) {
                report.needs_relation(schema, relation);
            }
        }
        if !(self.if_not_exists && schema.relation_kind(name).is_some()) {
            report.new_table_name(schema, name);
        }
        self.data.check(schema, report);
        let columns = self.columns.as_deref().unwrap_or_default();
        for (i, column) in columns.iter().enumerate() {
            if columns[..i].iter().any(|earlier| earlier.name == column.name) {
                let at = if column.name.at.range().is_empty() { name.at() } else { self.query.at };
                report.problem(at, format!("column `{}` comes twice", column.name)).help =
                    Some("give one of them another name with `as`".to_owned());
            }
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        let name = &self.table.name;
        if schema.relation_kind(name).is_some() {
            return;
        }
        match self.columns.clone() {
            Some(columns) => {
                schema.tables.insert(name.clone(), Table { columns, origin: origin.clone(), ..self.table.clone() });
            }
            None => {
                schema.others.insert(name.clone(), OtherObject { kind: OtherKind::Relation, of: None, origin: origin.clone() });
            }
        }
    }

    fn effects(&self, schema: &Schema) -> Effects {
        let effects = self.relations.iter().fold(Effects::default(), |effects, table| effects.and_lock(table, LockMode::AccessShare));
        if self.without_data {
            return effects;
        }
        let read = schema.tables_read_through(&self.relations);
        read.iter().fold(effects, |effects, table| effects.and_lock(table, LockMode::AccessShare).and_scan(table))
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        if before.relation_kind(&self.table.name).is_some() {
            return Ok(Vec::new());
        }
        Ok(vec![DropTable::new(self.table.name.clone()).into()])
    }

    fn render(&self) -> Vec<String> {
        let unlogged = if self.table.unlogged { "unlogged " } else { "" };
        let names = if self.names.is_empty() { String::new() } else { format!(" ({})", crate::name::quoted_list(&self.names)) };
        let options = render::table_options(&self.table);
        let data = if self.without_data { " with no data" } else { "" };
        vec![format!("create {unlogged}table {}{names}{options} as {}{data}", self.table.name.quoted(), self.query.sql())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::{CreateTableAs, Selected, SelectedItem};
    use crate::lower::{data, indexes, relations, syntax};
    use crate::name::Name;
    use crate::schema::{Parameters, Table};
    use squawk_syntax::ast::{self, AstNode};

    impl CreateTableAs {
        /// `None` for temporary tables, which no later statement of another session can see, and for prepared statements.
        pub(crate) fn lower(statement: &ast::CreateTableAs) -> Option<Self> {
            if statement.on_commit().is_some() || matches!(statement.persistence(), Some(ast::Persistence::Temp(_))) {
                return None;
            }
            let ast::CreateTableAsQuery::SelectVariant(query) = statement.query()? else { return None };
            let mut table = Table::new(syntax::path(&statement.table_name()?.path()?)?);
            table.unlogged = matches!(statement.persistence(), Some(ast::Persistence::Unlogged(_)));
            if let Some(ast::TableParams::WithParams(parameters)) = statement.table_params() {
                table.storage = Parameters::read(&indexes::storage(&parameters));
            }
            if let Some(method) = statement.using_method() {
                table.access_method = Some(syntax::name(&method.access_method_ref()?)).filter(|method| method.as_str() != "heap");
            }
            if let Some(clause) = statement.tablespace_clause() {
                table.tablespace = Some(syntax::name(&clause.tablespace_ref()?)).filter(|it| it.as_str() != "pg_default");
            }
            let list = statement.table_arg_list();
            let names = list.iter().flat_map(ast::TableArgList::args).map(|arg| match arg {
                ast::TableArg::Column(column) => Some(syntax::name(&column.name()?)),
                _ => None,
            });
            let selected = match &query {
                ast::SelectVariant::Select(select) => selected(select),
                _ => None,
            };
            Some(Self {
                table,
                names: names.collect::<Option<_>>()?,
                relations: relations::read_by(query.syntax()).collect(),
                data: data::read(query.syntax()),
                query: syntax::expression(&query),
                without_data: matches!(statement.data_option(), Some(ast::DataOption::WithNoData(_))),
                if_not_exists: statement.if_not_exists().is_some(),
                selected,
                columns: None,
                missing: Vec::new(),
            })
        }
    }

    fn selected(select: &ast::Select) -> Option<Selected> {
        if select.with_clause().is_some() {
            return None;
        }
        let mut from = Vec::new();
        for item in select.from_clause().iter().flat_map(ast::FromClause::items) {
            add_from(&item, &mut from)?;
        }
        let targets = select.select_clause()?.target_list()?;
        let items = targets.targets().map(|target| item(&target)).collect::<Option<_>>()?;
        Some(Selected { from, items })
    }

    /// Only tables, joined in ways that leave each its columns.
    fn add_from(item: &ast::FromListItem, from: &mut Vec<(Name, crate::name::QualifiedName)>) -> Option<()> {
        match item {
            ast::FromListItem::FromItem(ast::FromItem::RelationFromItem(relation)) => {
                let table = syntax::path_ref(&relation.relation_name_ref()?.path_ref()?)?;
                let alias = relation.alias();
                if alias.as_ref().is_some_and(|alias| alias.columns().is_some()) {
                    return None;
                }
                let name = alias.and_then(|alias| alias.name()).map_or_else(|| table.name.clone(), |name| syntax::name(&name));
                from.push((name, table));
                Some(())
            }
            ast::FromListItem::JoinExpr(join) => {
                add_from(&join.from_list_item()?, from)?;
                let join = join.join()?;
                let merges =
                    join.natural_token().is_some() || matches!(join.join_condition(), Some(ast::JoinCondition::JoinUsingClause(_)));
                if merges {
                    return None;
                }
                add_from(&join.from_list_item()?, from)
            }
            ast::FromListItem::FromItem(_) => None,
        }
    }

    fn item(target: &ast::Target) -> Option<SelectedItem> {
        if target.star_token().is_some() {
            return Some(SelectedItem::All);
        }
        let called = target.as_name().and_then(|name| name.name()).map(|name| syntax::name(&name));
        Some(match target.expr()? {
            ast::Expr::NameRef(name) => {
                let column = syntax::name(&name);
                // `current_date` and its like are no columns
                syntax::references(name.syntax()).first()?;
                SelectedItem::Column { of: None, column, called }
            }
            ast::Expr::FieldExpr(field) => match field.base()? {
                ast::Expr::NameRef(of) => {
                    SelectedItem::Column { of: Some(syntax::name(&of)), column: syntax::name(&field.field()?), called }
                }
                _ => return None,
            },
            ast::Expr::CastExpr(cast) => {
                let plain = match cast.expr() {
                    Some(ast::Expr::NameRef(name)) => Some(syntax::name(&name)),
                    _ => None,
                };
                SelectedItem::Cast { called: called.or(plain)?, data_type: syntax::data_type(&cast.ty()?)? }
            }
            _ => return None,
        })
    }
}
