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
use crate::name::{At, Name, QualifiedName, quote_literal};
use crate::naming;
use crate::operation::{Inverse, Operate, Operation};
use crate::ops::{AddConstraint, DropIndex, family};
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

    /// Where its columns are written, or its name.
    fn at(&self) -> At {
        let columns = self.index.keys.iter().filter_map(|key| match &key.kind {
            IndexKeyKind::Column(name) => Some(name.at),
            IndexKeyKind::Expression(_) => None,
        });
        let written = columns.chain([self.index.name.at]).find(|at| !at.range().is_empty());
        written.unwrap_or_else(|| self.table.at())
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
        if self.table.is_temporary() {
            return Vec::new();
        }
        let columns = self.columns.iter().map(|column| ObjectKey::Column(self.table.clone(), column.clone()));
        std::iter::once(ObjectKey::Table(self.table.clone())).chain(columns).collect()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        if self.table.is_temporary() {
            return Vec::new();
        }
        vec![ObjectKey::Index(self.name())]
    }

    fn bind(&mut self, schema: &Schema) {
        if let Some(temporary) = schema.temporary(&self.table) {
            self.table = temporary;
        }
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
            if self.concurrently && table.is_partitioned() {
                report.no_concurrent_index(&self.table);
            }
            self.check_columns(schema, table, report);
            checks::index_covers_partition_key(table, &self.index, self.at(), report);
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
        if schema.indexes_mut(&self.table).is_some() {
            schema.add_index(&self.table, &self.index);
        } else if schema.relation_kind(&self.table).is_some() {
            // of a partition, or a table made by a query, the model knows no columns: only the name is noted
            let index = OtherObject { kind: OtherKind::Relation, of: Some(self.table.clone()), origin: origin.clone() };
            schema.others.insert(self.name(), index);
        }
    }

    fn effects(&self, schema: &Schema) -> Effects {
        if self.table.is_temporary() {
            return Effects::default();
        }
        let (mode, transaction) = if self.concurrently {
            (LockMode::ShareUpdateExclusive, TransactionNeed::Outside)
        } else {
            (LockMode::Share, TransactionNeed::Inside)
        };
        let effects = Effects { transaction, ..Effects::lock(&self.table, mode) };
        let reads_nothing = self.index.only && schema.table(&self.table).is_some_and(Table::is_partitioned);
        let effects = if reads_nothing { effects } else { effects.and_scan(&self.table) };
        let handed_down = !self.index.only && schema.table(&self.table).is_some_and(Table::is_partitioned);
        if !handed_down {
            return effects;
        }
        // a partition that has an index like it is not read
        let mut after = schema.clone();
        after.add_index(&self.table, &self.index);
        let indexes = |schema: &Schema, table: &QualifiedName| schema.table(table).map_or(0, |table| table.indexes.len());
        schema.descendants(&self.table).iter().fold(effects, |effects, below| {
            let effects = effects.and_lock(below, mode);
            if indexes(schema, below) < indexes(&after, below) { effects.and_scan(below) } else { effects }
        })
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        if self.table.is_temporary() || before.relation_kind(&self.name()).is_some() {
            return Ok(Vec::new());
        }
        let drop = vec![DropIndex { concurrently: self.concurrently, ..DropIndex::new(self.name()) }.into()];
        Ok(family::give_back(before, &self.table, drop, |schema| self.apply(schema, &Origin::default())))
    }

    fn render(&self) -> Vec<String> {
        let mut statements = vec![render::index(&self.table, &self.index, self.concurrently)];
        if let Some(comment) = &self.index.comment {
            statements.push(format!("comment on index {} is {}", self.name().quoted(), quote_literal(comment)));
        }
        statements
    }
}

/// Adds the operations that create those indexes of `table` again for which `chosen` holds.
pub(crate) fn recreate_indexes(table: &Table, chosen: impl Fn(&Index) -> bool, operations: &mut Vec<Operation>) {
    let indexes = table.indexes.values().filter(|index| chosen(index));
    operations.extend(indexes.map(|index| recreate(&table.name, used_columns(table, index), index, false).into()));
}

/// What creates `index` of a table or a materialized view as it is, given the columns of the table that it uses.
pub(crate) fn recreate(relation: &QualifiedName, columns: Vec<Name>, index: &Index, concurrently: bool) -> CreateIndex {
    let index = Index { valid: true, parent: None, ..index.clone() };
    CreateIndex { table: relation.clone(), index, columns, concurrently, if_not_exists: false }
}

/// What creates an index of a table or a materialized view as it was, with its parts on partitions: before it those to
/// which PostgreSQL wouldn't give their names again.
pub(crate) fn recreate_with_parts(before: &Schema, relation: &QualifiedName, index: &Index, concurrently: bool) -> Vec<Operation> {
    let columns = |table: &QualifiedName, index: &Index| before.table(table).map(|table| used_columns(table, index)).unwrap_or_default();
    let own = recreate(relation, columns(relation, index), index, concurrently);
    let below = before.descendants(relation);
    if below.is_empty() {
        return vec![own.into()];
    }
    let mut restored = before.clone();
    restored.remove_index(relation, &index.name);
    own.apply(&mut restored, &Origin::default());
    let mut operations: Vec<Operation> = vec![own.into()];
    if below.iter().all(|name| before.table(name) == restored.table(name)) {
        return operations;
    }
    let mut parents = vec![(relation.clone(), index.name.clone())];
    for name in below {
        let Some((table, partition)) = before.table(&name).and_then(|table| Some((table, table.partition.as_ref()?))) else { continue };
        let part_of = |parent: Option<&Name>| parent.is_some_and(|parent| parents.contains(&(partition.of.clone(), parent.clone())));
        let part = table.indexes.values().find(|index| part_of(index.parent.as_ref()));
        let key = table.constraints.values().find(|key| part_of(key.parent.as_ref()));
        if let Some(part) = part {
            operations.push(recreate(&name, columns(&name, part), part, false).into());
        } else if let Some(key) = key {
            operations.extend(AddConstraint::again(before, &name, &key.name).map(Operation::from));
        }
        parents.extend(part.map(|part| &part.name).or(key.map(|key| &key.name)).map(|part| (name.clone(), part.clone())));
    }
    operations.reverse();
    operations
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
                parent: None,
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
