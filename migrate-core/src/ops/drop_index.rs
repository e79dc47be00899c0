//! `drop index`.
//!
//! - **SQL**: `drop index concurrently documents_status_idx`
//! - **Lock**: access exclusive on the table; with `concurrently` share update exclusive, which blocks neither reads nor
//!   writes
//! - **Rewrites**: nothing
//! - **Transaction**: inside; with `concurrently` outside
//! - **Undo**: `create index`, concurrently where it was dropped so
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `DROP INDEX`

use crate::effects::{Effects, LockMode, TransactionNeed};
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, NoInverse, Operate};
use crate::ops::{AddConstraint, create_index};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema, Table, UniqueKey};
use serde::{Deserialize, Serialize};

/// Drops an index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropIndex {
    /// The index.
    pub name: QualifiedName,
    /// Its table or materialized view, once bound.
    #[serde(default)]
    pub table: Option<QualifiedName>,
    /// `concurrently`.
    #[serde(default)]
    pub concurrently: bool,
    /// `cascade`: foreign keys that rest on it fall with it.
    #[serde(default)]
    pub cascade: bool,
    /// `if exists`.
    #[serde(default)]
    pub if_exists: bool,
}

impl DropIndex {
    /// Drops the index of this name.
    #[must_use]
    pub fn new(name: QualifiedName) -> Self {
        Self { name, table: None, concurrently: false, cascade: false, if_exists: false }
    }

    fn dependents(&self, schema: &Schema) -> Vec<(QualifiedName, Name)> {
        let Some((relation, _)) = schema.index(&self.name) else { return Vec::new() };
        schema.foreign_keys_on(relation, UniqueKey::Index(&self.name.name))
    }
}

impl Operate for DropIndex {
    fn describe(&self) -> String {
        format!("drop index `{}`", self.name)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        self.table.iter().cloned().map(ObjectKey::Table).collect()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Index(self.name.clone())]
    }

    fn bind(&mut self, schema: &Schema) {
        if let Some((relation, _)) = schema.index(&self.name) {
            self.table = Some(relation.clone());
        }
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        if self.concurrently && self.cascade {
            report.no_concurrent_cascade(&self.name);
        }
        if let Some((relation, index)) = schema.index(&self.name) {
            let partition = schema.table(relation).and_then(|table| table.partition.as_ref());
            if let Some((parent, partition)) = index.parent.as_ref().zip(partition) {
                report.part_of_index(&self.name, &partition.of.sibling(parent.clone()));
                return;
            }
            let partitioned = schema.table(relation).is_some_and(Table::is_partitioned);
            if self.concurrently && partitioned {
                report.no_concurrent_drop(&self.name, relation);
            }
            if !self.cascade {
                report.needed_by_foreign_keys(schema, self.name.at(), &format!("index `{}`", self.name), &self.dependents(schema));
            }
        } else if let Some(table) = schema.table_of_constraint_index(&self.name) {
            report.index_of_constraint(&table.name, &self.name);
        } else {
            match schema.relation_kind(&self.name) {
                Some("relation") => {}
                Some(kind) => report.not_an_index(&self.name, kind),
                None if self.if_exists => {}
                None => report.unknown(schema, &ObjectKey::Index(self.name.clone()), self.name.at()),
            }
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        if schema.relation_kind(&self.name) == Some("relation") {
            schema.others.remove(&self.name);
        }
        let dependents = self.dependents(schema);
        let Some(relation) = schema.index(&self.name).map(|(relation, _)| relation.clone()) else { return };
        schema.remove_index(&relation, &self.name.name);
        schema.record_departure(ObjectKey::Index(self.name.clone()), None, origin);
        for (table, constraint) in dependents {
            if let Some(table) = schema.tables.get_mut(&table) {
                table.constraints.shift_remove(&constraint);
            }
            schema.record_departure(ObjectKey::Constraint(table, constraint), None, origin);
        }
    }

    fn effects(&self, schema: &Schema) -> Effects {
        let transaction = if self.concurrently { TransactionNeed::Outside } else { TransactionNeed::Inside };
        let mode = if self.concurrently { LockMode::ShareUpdateExclusive } else { LockMode::AccessExclusive };
        let relation = schema.index(&self.name).map(|(relation, _)| relation.clone());
        let below = relation.iter().flat_map(|relation| {
            let partitioned = schema.table(relation).is_some_and(Table::is_partitioned);
            if partitioned { schema.descendants(relation) } else { Vec::new() }
        });
        let locked = relation.clone().into_iter().chain(below).chain(self.dependents(schema).into_iter().map(|(table, _)| table));
        let effects = locked.fold(Effects::default(), |effects, table| effects.and_lock(&table, mode));
        Effects { transaction, ..effects }
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        let Some((relation, index)) = before.index(&self.name) else {
            if self.if_exists && before.relation_kind(&self.name).is_none() {
                return Ok(Vec::new());
            }
            return Err(NoInverse::because(format!("nothing is known of index `{}`", self.name)));
        };
        let created = create_index::recreate_with_parts(before, relation, index, self.concurrently);
        let constraints = self.dependents(before).into_iter().filter_map(|(table, name)| AddConstraint::again(before, &table, &name));
        Ok(created.into_iter().chain(constraints.map(Into::into)).collect())
    }

    fn render(&self) -> Vec<String> {
        let concurrently = if self.concurrently { "concurrently " } else { "" };
        let cascade = if self.cascade { " cascade" } else { "" };
        vec![format!("drop index {concurrently}{}{cascade}", self.name.quoted())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::DropIndex;
    use crate::lower::syntax;
    use crate::operation::Operation;
    use squawk_syntax::ast;

    impl DropIndex {
        /// One operation an index.
        pub(crate) fn lower(statement: &ast::DropIndex) -> Option<Vec<Operation>> {
            let drop = |index: ast::IndexRef| -> Option<Operation> {
                let operation = Self {
                    concurrently: statement.concurrently_token().is_some(),
                    cascade: matches!(statement.drop_behavior(), Some(ast::DropBehavior::Cascade(_))),
                    if_exists: statement.if_exists().is_some(),
                    ..Self::new(syntax::path_ref(&index.path_ref()?)?)
                };
                Some(operation.into())
            };
            statement.index_refs().map(drop).collect()
        }
    }
}
