//! `drop table`.
//!
//! - **SQL**: `drop table documents`
//! - **Lock**: access exclusive on the table, and on the targets of its foreign keys
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: `create table` with its constraints, indexes and comments; the rows are lost
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `DROP TABLE`

use crate::effects::{Effects, LockMode};
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, NoInverse, Operate, Operation};
use crate::ops::{AddConstraint, AlterSequence, CommentOn, CreateSequence, CreateTable, SequenceChange, create_index, create_table};
use crate::report::Report;
use crate::schema::{Constraint, ConstraintKind, ObjectKey, Origin, Schema, Sequence, Table, UniqueKey};
use serde::{Deserialize, Serialize};

/// Drops a table and everything that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropTable {
    /// The table.
    pub name: QualifiedName,
    /// `cascade`: foreign keys and views that depend on it fall with it.
    #[serde(default)]
    pub cascade: bool,
    /// `if exists`.
    #[serde(default)]
    pub if_exists: bool,
}

impl Operate for DropTable {
    fn describe(&self) -> String {
        format!("drop table `{}`", self.name)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        Vec::new()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Table(self.name.clone())]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        if self.if_exists && schema.relation_kind(&self.name).is_none() {
            return;
        }
        if !report.needs_table(schema, &self.name) || self.cascade {
            return;
        }
        report.views_depend("table", &self.name, &schema.views_reading(&self.name));
        for (table, constraint) in referencing(schema, &self.name) {
            report.problem(self.name.at(), format!("table `{}` is the target of a foreign key", self.name)).help =
                Some(format!("drop constraint `{constraint}` of table `{table}` first, or write `cascade`"));
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        if schema.tables.remove(&self.name).is_none() && schema.others.remove(&self.name).is_none() {
            return;
        }
        schema.forget_indexes_of(&self.name);
        schema.drop_views_reading(&self.name, origin);
        schema.sequences.retain(|_, sequence| sequence.owned_by.as_ref().is_none_or(|(table, _)| *table != self.name));
        for (table, constraint) in referencing(schema, &self.name) {
            if let Some(table) = schema.tables.get_mut(&table) {
                table.constraints.shift_remove(&constraint);
            }
        }
        schema.record_departure(ObjectKey::Table(self.name.clone()), None, origin);
    }

    fn effects(&self, schema: &Schema) -> Effects {
        let own = Effects { loses_data: true, breaks_readers: true, ..Effects::lock(&self.name, LockMode::AccessExclusive) };
        let targets = schema.table(&self.name).into_iter().flat_map(|table| table.constraints.values());
        let referencing = referencing(schema, &self.name);
        targets
            .filter_map(|constraint| match &constraint.kind {
                ConstraintKind::ForeignKey(key) => Some(key.references.clone()),
                _ => None,
            })
            .chain(referencing.into_iter().map(|(table, _)| table))
            .chain(schema.views_above(&self.name))
            .fold(own, |effects, table| effects.and_lock(&table, LockMode::AccessExclusive))
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        let Some(table) = before.table(&self.name) else {
            return Err(NoInverse::because(format!("nothing is known of table `{}`", self.name)));
        };
        let referencing = referencing(before, &self.name);
        if !referencing.is_empty() {
            return Err(NoInverse::because("foreign keys of other tables fall with it"));
        }
        if let Some(view) = before.views_reading(&self.name).first() {
            return Err(NoInverse::because(format!("view `{view}` falls with it")));
        }
        Ok(recreate(before, table))
    }

    fn render(&self) -> Vec<String> {
        vec![format!("drop table {}{}", self.name.quoted(), if self.cascade { " cascade" } else { "" })]
    }
}

/// The foreign keys of other tables that point to `target`.
fn referencing(schema: &Schema, target: &QualifiedName) -> Vec<(QualifiedName, Name)> {
    let others = schema.tables.values().filter(|table| table.name != *target);
    others
        .flat_map(|table| {
            let keys = table.constraints.values().filter(|constraint| match &constraint.kind {
                ConstraintKind::ForeignKey(key) => key.references == *target,
                _ => false,
            });
            keys.map(|constraint| (table.name.clone(), constraint.name.clone())).collect::<Vec<_>>()
        })
        .collect()
}

/// The operations that create `table` as it is.
fn recreate(before: &Schema, table: &Table) -> Vec<Operation> {
    let mut shape = table.clone();
    let constraints: Vec<_> = std::mem::take(&mut shape.constraints).into_values().collect();
    shape.indexes.clear();
    let serials: Vec<(Name, Name)> = before
        .sequences
        .iter()
        .filter_map(|(name, sequence)| {
            let (owner, column) = sequence.owned_by.as_ref()?;
            let default = table.column(column.as_str())?.default.as_ref()?;
            (*owner == table.name && *default == create_table::serial_default(name)).then(|| (column.clone(), name.name.clone()))
        })
        .collect();
    let owned: Vec<_> =
        owned_sequences(before, &table.name, None).filter(|(name, _)| !serials.iter().any(|(_, of)| *of == name.name)).collect();
    // what rests on an index of the table, or isn't valid for all rows, can't be made with the table
    let rests_on_index = |constraint: &Constraint| match &constraint.kind {
        ConstraintKind::ForeignKey(key) if key.references == table.name => {
            !table.unique_keys(&key.referenced_columns).iter().any(|key| matches!(key, UniqueKey::Constraint(_)))
        }
        _ => false,
    };
    let (later, constraints): (Vec<_>, Vec<_>) =
        constraints.into_iter().partition(|constraint| !constraint.validated || rests_on_index(constraint));
    let mut operations: Vec<_> = recreate_sequences(&owned).collect();
    operations.push(CreateTable { table: shape, constraints, serials, if_not_exists: false }.into());
    operations.extend(give_back(&owned));
    create_index::recreate_indexes(table, |_| true, &mut operations);
    operations.extend(later.iter().filter_map(|constraint| AddConstraint::again(before, &table.name, &constraint.name)).map(Into::into));
    operations
}

/// The sequences that fall with a table, or with one of its columns.
pub(super) fn owned_sequences<'a>(
    before: &'a Schema,
    table: &'a QualifiedName,
    column: Option<&'a Name>,
) -> impl Iterator<Item = (&'a QualifiedName, &'a Sequence)> {
    before.sequences.iter().filter(move |(_, sequence)| {
        sequence.owned_by.as_ref().is_some_and(|(owner, of)| owner == table && column.is_none_or(|column| of == column))
    })
}

/// What creates the sequences again, without their owner: a default may need them before it is there.
pub(super) fn recreate_sequences(owned: &[(&QualifiedName, &Sequence)]) -> impl Iterator<Item = Operation> {
    owned.iter().flat_map(|(name, sequence)| {
        let create = CreateSequence { owned_by: None, ..CreateSequence::of(name, sequence) };
        let comment = CommentOn::restore(ObjectKey::Sequence((*name).clone()), sequence.comment.as_ref());
        std::iter::once(create.into()).chain(comment)
    })
}

/// What gives the sequences back to their columns.
pub(super) fn give_back(owned: &[(&QualifiedName, &Sequence)]) -> impl Iterator<Item = Operation> {
    owned.iter().map(|(name, sequence)| {
        let changes = vec![SequenceChange::OwnedBy(sequence.owned_by.clone())];
        AlterSequence { name: (*name).clone(), changes }.into()
    })
}

#[cfg(feature = "parser")]
mod lower {
    use super::DropTable;
    use crate::lower::syntax;
    use crate::operation::Operation;
    use squawk_syntax::ast;

    impl DropTable {
        /// One operation a table.
        pub(crate) fn lower(statement: &ast::DropTable) -> Option<Vec<Operation>> {
            let cascade = matches!(statement.drop_behavior(), Some(ast::DropBehavior::Cascade(_)));
            let if_exists = statement.if_exists().is_some();
            statement.table_name_refs().map(|table| Some(Self { name: syntax::table_ref(&table)?, cascade, if_exists }.into())).collect()
        }
    }
}
