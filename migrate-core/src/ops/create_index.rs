//! `create index`.
//!
//! - **SQL**: `create unique index concurrently documents_slug_idx on documents (lower(slug)) where deleted_at is null`
//! - **Lock**: share on the table, which blocks writes; with `concurrently` share update exclusive, which blocks neither
//!   reads nor writes
//! - **Rewrites**: nothing; the table is read whole
//! - **Transaction**: inside; with `concurrently` outside
//! - **Undo**: `drop index`, concurrently where it was created so
//! - **Since**: PostgreSQL 13; `nulls not distinct` 15
//! - **Source**: PostgreSQL manual, `CREATE INDEX`

use crate::checks;
use crate::data_type::DataType;
use crate::effects::{Effects, LockMode, TransactionNeed};
use crate::name::{Name, QualifiedName, quote_literal};
use crate::naming;
use crate::operation::{Inverse, Operate, Operation};
use crate::ops::DropIndex;
use crate::render;
use crate::report::Report;
use crate::schema::{Column, Index, IndexKeyKind, ObjectKey, Origin, OtherKind, OtherObject, Schema, Table};
use serde::{Deserialize, Serialize};

/// Creates an index on a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateIndex {
    /// The table.
    pub table: QualifiedName,
    /// The index, named once bound.
    pub index: Index,
    /// The columns of the table that it uses, once bound.
    #[serde(default)]
    pub columns: Vec<Name>,
    /// `concurrently`.
    #[serde(default)]
    pub concurrently: bool,
    /// `if not exists`.
    #[serde(default)]
    pub if_not_exists: bool,
}

impl CreateIndex {
    fn name(&self) -> QualifiedName {
        self.table.sibling(self.index.name.clone())
    }

    fn check_columns(&self, schema: &Schema, table: &Table, report: &mut Report) {
        let named = self.index.keys.iter().filter_map(|key| match &key.kind {
            IndexKeyKind::Column(name) => Some(name),
            IndexKeyKind::Expression(_) => None,
        });
        checks::columns(schema, table, named.chain(&self.index.include), report);
        let expressions = self.index.keys.iter().filter_map(|key| match &key.kind {
            IndexKeyKind::Column(_) => None,
            IndexKeyKind::Expression(expression) => Some(expression),
        });
        for expression in expressions.chain(&self.index.predicate) {
            checks::references(schema, table, expression, report);
        }
    }
}

impl Operate for CreateIndex {
    fn describe(&self) -> String {
        format!("create index `{}` on `{}`", self.index.name, self.table)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        let columns = self.columns.iter().map(|column| ObjectKey::Column(self.table.clone(), column.clone()));
        std::iter::once(ObjectKey::Table(self.table.clone())).chain(columns).collect()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Index(self.name())]
    }

    fn bind(&mut self, schema: &Schema) {
        if self.index.name.as_str().is_empty() {
            self.index.name = naming::index(schema, &self.table, &self.index.keys, &self.index.include);
        }
        if let Some(table) = schema.table(&self.table) {
            self.columns = used_columns(table, &self.index);
        }
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        report.check_length([&self.index.name]);
        if self.index.unique && matches!(self.index.method.as_str(), "gin" | "gist" | "hash" | "spgist" | "brin") {
            report.problem(self.index.name.at, format!("access method `{}` does not support unique indexes", self.index.method));
        }
        if schema.relation_kind(&self.table) != Some("materialized view") && !report.needs_table(schema, &self.table) {
            report.forgive(ObjectKey::Index(self.name()));
            return;
        }
        if let Some(table) = schema.table(&self.table) {
            if self.concurrently && is_partitioned(table) {
                report.no_concurrent_index(&self.table);
            }
            self.check_columns(schema, table, report);
        } else if let Some(columns) = schema.views.get(&self.table).and_then(|view| view.output.as_ref()) {
            let mut shape = Table::new(self.table.clone());
            shape.columns.extend(columns.iter().map(|column| Column::new(column.clone(), DataType::from_catalog("text"))));
            self.check_columns(schema, &shape, report);
        }
        if !self.if_not_exists || schema.relation_kind(&self.name()) != Some("index") {
            checks::relation_name(schema, &self.name(), report);
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        if schema.relation_kind(&self.name()).is_some() {
            return;
        }
        if let Some(indexes) = schema.indexes_mut(&self.table) {
            indexes.insert(self.index.name.clone(), self.index.clone());
        } else if schema.relation_kind(&self.table).is_some() {
            // of a partition, or a table made by a query, the model knows no columns: only the name is noted
            let index = OtherObject { kind: OtherKind::Relation, of: Some(self.table.clone()), origin: origin.clone() };
            schema.others.insert(self.name(), index);
        }
    }

    fn effects(&self, schema: &Schema) -> Effects {
        let (mode, transaction) = if self.concurrently {
            (LockMode::ShareUpdateExclusive, TransactionNeed::Outside)
        } else {
            (LockMode::Share, TransactionNeed::Inside)
        };
        let effects = Effects { transaction, ..Effects::lock(&self.table, mode) };
        let reads_nothing = self.index.only && schema.table(&self.table).is_some_and(is_partitioned);
        if reads_nothing { effects } else { effects.and_scan(&self.table) }
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        if before.relation_kind(&self.name()).is_some() {
            return Ok(Vec::new());
        }
        Ok(vec![DropIndex { concurrently: self.concurrently, ..DropIndex::new(self.name()) }.into()])
    }

    fn render(&self) -> Vec<String> {
        let mut statements = vec![render::index(&self.table, &self.index, self.concurrently)];
        if let Some(comment) = &self.index.comment {
            statements.push(format!("comment on index {} is {}", self.name().quoted(), quote_literal(comment)));
        }
        statements
    }
}

fn is_partitioned(table: &Table) -> bool {
    table.options.starts_with("partition by")
}

/// Adds the operations that create those indexes of `table` again for which `chosen` holds.
pub(crate) fn recreate_indexes(table: &Table, chosen: impl Fn(&Index) -> bool, operations: &mut Vec<Operation>) {
    let indexes = table.indexes.values().filter(|index| chosen(index));
    operations.extend(indexes.map(|index| recreate(&table.name, used_columns(table, index), index, false).into()));
}

/// What creates `index` of a table or a materialized view as it is, given the columns of the table that it uses.
pub(crate) fn recreate(relation: &QualifiedName, columns: Vec<Name>, index: &Index, concurrently: bool) -> CreateIndex {
    let index = Index { valid: true, ..index.clone() };
    CreateIndex { table: relation.clone(), index, columns, concurrently, if_not_exists: false }
}

/// The columns of `table` that `index` uses.
pub(crate) fn used_columns(table: &Table, index: &Index) -> Vec<Name> {
    let used = table.columns.iter().filter(|column| index.involves(column.name.as_str()));
    used.map(|column| column.name.clone()).collect()
}

#[cfg(feature = "parser")]
mod lower {
    use super::CreateIndex;
    use crate::lower::{indexes, syntax};
    use crate::name::Name;
    use crate::schema::Index;
    use squawk_syntax::ast;

    impl CreateIndex {
        pub(crate) fn lower(statement: &ast::CreateIndex) -> Option<Self> {
            let target = statement.table_relation_name()?;
            let name = statement.index().and_then(|index| index.path()).and_then(|path| syntax::path(&path));
            let method = statement.using_method().and_then(|method| method.access_method_ref());
            let include = statement.index_include_clause().and_then(|it| it.partition_item_list());
            let index = Index {
                name: name.map_or_else(|| Name::new(""), |name| name.name),
                unique: statement.unique_token().is_some(),
                method: method.map_or_else(|| "btree".to_owned(), |method| syntax::name(&method).to_string()),
                keys: statement.partition_item_list()?.partition_items().map(|item| indexes::key(&item)).collect::<Option<_>>()?,
                include: include
                    .iter()
                    .flat_map(ast::PartitionItemList::partition_items)
                    .map(|item| indexes::included(&item))
                    .collect::<Option<_>>()?,
                nulls_not_distinct: matches!(statement.nulls_distinct_option(), Some(ast::NullsDistinctOption::NullsNotDistinct(_))),
                predicate: statement.where_clause().and_then(|clause| clause.expr()).map(|condition| syntax::expression(&condition)),
                storage: statement.with_params().map(|it| indexes::storage(&it)).unwrap_or_default(),
                tablespace: match statement.tablespace_clause() {
                    Some(clause) => Some(syntax::name(&clause.tablespace_ref()?)),
                    None => None,
                },
                only: target.only_token().is_some(),
                valid: true,
                comment: None,
            };
            Some(Self {
                table: syntax::table_ref(&target.table_name_ref()?)?,
                index,
                columns: Vec::new(),
                concurrently: statement.concurrently_token().is_some(),
                if_not_exists: statement.if_not_exists().is_some(),
            })
        }
    }
}
