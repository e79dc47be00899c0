//! `drop table`.
//!
//! - **SQL**: `drop table documents`
//! - **Lock**: access exclusive on the table, on the targets of its foreign keys, and on what falls by `cascade`
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: `create table` with its constraints, indexes and comments; the rows are lost
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `DROP TABLE`

use crate::effects::{Effects, LockMode};
use crate::name::{Name, QualifiedName};
use crate::naming;
use crate::operation::{Inverse, NoInverse, Operate, Operation};
use crate::ops::{
    AddConstraint, AlterRowSecurity, AlterSequence, AttachPartition, CommentOn, CreateSequence, CreateTable, DropConstraint, DropDefault,
    SequenceChange, SetDefault, SetNotNull, access, cascade, create_index, create_policy, create_table, create_trigger,
};
use crate::report::Report;
use crate::schema::{
    Access, Constraint, ConstraintKind, ObjectKey, Origin, RowSecurity, Schema, Sequence, SequenceOptions, Table, UniqueKey,
};
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
    /// The tables that the same statement drops after this one: their foreign keys don't keep it.
    #[serde(default)]
    pub together: Vec<QualifiedName>,
    /// The foreign keys of those tables that point to it, once bound.
    #[serde(default)]
    pub releases: Vec<(QualifiedName, Name)>,
    /// The policies of those tables that read it, once bound.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frees: Vec<(QualifiedName, Name)>,
}

impl DropTable {
    /// Drops the table of this name.
    #[must_use]
    pub fn new(name: QualifiedName) -> Self {
        Self { name, cascade: false, if_exists: false, together: Vec::new(), releases: Vec::new(), frees: Vec::new() }
    }

    /// What falls before the table.
    fn before_it(&self, schema: &Schema) -> Vec<Operation> {
        // partitions fall with what they are partitions of
        let partitions = schema.partitions(&self.name).into_iter().map(|name| Self { cascade: self.cascade, ..Self::new(name) }.into());
        if self.cascade {
            return partitions.chain(cascade::of_table(schema, &self.name)).collect();
        }
        let policies = cascade::drop_policies(self.frees.clone());
        let released = self.releases.iter().map(|(table, name)| DropConstraint::new(table.clone(), name.clone()).into());
        policies.chain(released).chain(partitions).collect()
    }

    /// What creates the table again when nothing fell with it but what belongs to it.
    fn create_again(&self, before: &Schema) -> Inverse {
        let Some(table) = before.table(&self.name) else {
            return Err(NoInverse::because(format!("nothing is known of table `{}`", self.name)));
        };
        if let Some(what) = table.unmodelled.first() {
            return Err(NoInverse::because(format!("{what} falls with table `{}`, and the model can't bring it back", self.name)));
        }
        Ok(recreate(before, table))
    }
}

impl Operate for DropTable {
    fn describe(&self) -> String {
        format!("drop table `{}`", self.name)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        Vec::new()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        if self.name.is_temporary() {
            return Vec::new();
        }
        vec![ObjectKey::Table(self.name.clone())]
    }

    fn bind(&mut self, schema: &Schema) {
        if let Some(temporary) = schema.temporary(&self.name) {
            self.name = temporary;
        }
        self.releases = schema.foreign_keys_to_table(&self.name);
        self.releases.retain(|(table, _)| self.together.contains(table));
        self.frees = schema.policies_reading(&self.name);
        self.frees.retain(|(table, _)| self.together.contains(table));
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        if self.if_exists && schema.relation_kind(&self.name).is_none() {
            return;
        }
        if !report.needs_table(schema, &self.name) || self.cascade {
            return;
        }
        for partition in schema.descendants(&self.name) {
            if schema.table(&partition).is_some_and(|table| table.partition.is_none()) {
                report.table_inherits(&partition, &self.name);
            } else {
                let name = format!("partition `{partition}`");
                report.views_depend(schema, self.name.at(), &name, &schema.views_reading(&partition));
                let mut foreign_keys = schema.foreign_keys_to_table(&partition);
                foreign_keys.retain(|(table, _)| !self.together.contains(table) && !schema.descendants(&self.name).contains(table));
                report.needed_by_foreign_keys(schema, self.name.at(), &name, &foreign_keys);
            }
        }
        let name = format!("table `{}`", self.name);
        let mut policies = schema.policies_reading(&self.name);
        policies.retain(|(table, _)| !self.together.contains(table));
        report.needed_by_policies(self.name.at(), &name, &policies);
        report.used_by_routines(self.name.at(), &name, &schema.routines_using_type(&self.name));
        report.views_depend(schema, self.name.at(), &name, &schema.views_reading(&self.name));
        let mut foreign_keys = schema.foreign_keys_to_table(&self.name);
        foreign_keys.retain(|(table, _)| !self.together.contains(table));
        report.needed_by_foreign_keys(schema, self.name.at(), &name, &foreign_keys);
        let columns = schema.columns_of_type(&self.name).into_iter().filter(|(table, _)| *table != self.name);
        for (table, column) in columns {
            report.problem(self.name.at(), format!("column `{table}.{column}` is of the type of {name}")).help =
                Some("drop the column first, or write `cascade` to drop it, too".to_owned());
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        if self.name.is_temporary() {
            schema.remove_temporary(&self.name.name);
            return;
        }
        cascade::apply(&self.before_it(schema), schema, origin);
        if schema.tables.remove(&self.name).is_none() && schema.others.remove(&self.name).is_none() {
            return;
        }
        schema.forget_indexes_of(&self.name);
        schema.forget_triggers_of(&self.name);
        schema.sequences.retain(|_, sequence| sequence.owned_by.as_ref().is_none_or(|(table, _)| *table != self.name));
        schema.record_departure(ObjectKey::Table(self.name.clone()), None, origin);
    }

    fn effects(&self, schema: &Schema) -> Effects {
        if self.name.is_temporary() {
            return Effects::default();
        }
        let own = Effects { loses_data: true, breaks_readers: true, ..Effects::lock(&self.name, LockMode::AccessExclusive) };
        let targets = schema.table(&self.name).into_iter().flat_map(|table| table.constraints.values());
        let targets = targets.filter_map(|constraint| match &constraint.kind {
            ConstraintKind::ForeignKey(key) if constraint.parent.is_none() => Some(&key.references),
            _ => None,
        });
        let effects = targets.fold(own, |effects, table| effects.and_lock(table, LockMode::AccessExclusive));
        let parent = schema.table(&self.name).and_then(|table| table.partition.as_ref()).map(|partition| &partition.of);
        let effects = parent.into_iter().fold(effects, |effects, parent| {
            let effects = effects.and_lock(parent, LockMode::AccessExclusive);
            schema
                .default_partition(parent)
                .into_iter()
                .fold(effects, |effects, default| effects.and_lock(default, LockMode::AccessExclusive))
        });
        cascade::and_locks(effects, &self.before_it(schema), schema)
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        if self.name.is_temporary() {
            return Ok(Vec::new());
        }
        cascade::undo(&self.before_it(before), before, |schema| self.create_again(schema))
    }

    fn render(&self) -> Vec<String> {
        let policies = cascade::drop_policies(self.frees.clone()).flat_map(|policy| policy.render());
        let constraints = self.releases.iter().flat_map(|(table, name)| DropConstraint::new(table.clone(), name.clone()).render());
        let releases = policies.chain(constraints).filter(|_| !self.cascade);
        let drop = format!("drop table {}{}", self.name.quoted(), if self.cascade { " cascade" } else { "" });
        releases.chain([drop]).collect()
    }
}

/// The operations that create `table` as it is.
fn recreate(before: &Schema, table: &Table) -> Vec<Operation> {
    let mut shape = table.clone();
    // it gets its columns alone, and is attached with all of them
    let partition = shape.partition.take();
    shape.columns.iter_mut().for_each(|column| column.local |= partition.is_some());
    // what a table only has from those that it inherits from comes with them
    let inherited_column = |name: &Name| partition.is_none() && before.parent_with_column(&table.name, name.as_str()).is_some();
    shape.columns.retain(|column| column.local || !inherited_column(&column.name));
    shape.constraints.retain(|name, constraint| {
        constraint.local || partition.is_some() || before.parent_with_constraint(&table.name, name.as_str()).is_none()
    });
    let standalone = |constraint: Constraint| match partition {
        Some(_) => Constraint { local: true, parent: None, ..constraint },
        None => constraint,
    };
    let constraints: Vec<_> = std::mem::take(&mut shape.constraints).into_values().map(standalone).collect();
    shape.indexes.clear();
    shape.access = Access::default();
    shape.policies.clear();
    shape.row_security = RowSecurity::default();
    let (serial, owned): (Vec<_>, Vec<_>) =
        owned_sequences(before, &table.name, None).partition(|(name, sequence)| is_serial(table, name, sequence));
    let column_of = |(name, sequence): &(&QualifiedName, &Sequence)| Some((sequence.owned_by.as_ref()?.1.clone(), name.name.clone()));
    let serials: Vec<(Name, Name)> = serial.iter().filter_map(column_of).collect();
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
    operations.push(CreateTable::new(shape, constraints, serials).into());
    operations.extend(give_back(&owned));
    let comment = |(name, sequence): &(&QualifiedName, &Sequence)| {
        CommentOn::restore(ObjectKey::Sequence((*name).clone()), sequence.comment.as_ref())
    };
    operations.extend(serial.iter().filter_map(comment));
    create_index::recreate_indexes(table, |_| true, &mut operations);
    operations.extend(later.iter().filter_map(|constraint| AddConstraint::again(before, &table.name, &constraint.name)).map(Into::into));
    if !table.inherits.is_empty() {
        differ_from_parents(before, table, &mut operations);
    }
    operations.extend(partition.map(|it| AttachPartition { table: it.of, partition: table.name.clone(), bound: it.bound }.into()));
    operations.extend(create_trigger::recreate_all(before, &table.name));
    operations.extend(access::restore(&ObjectKey::Table(table.name.clone()), &table.access));
    let access_of =
        |(name, sequence): &(&QualifiedName, &Sequence)| access::restore(&ObjectKey::Sequence((*name).clone()), &sequence.access);
    operations.extend(serial.iter().chain(&owned).flat_map(access_of));
    operations.extend(AlterRowSecurity::restore(&table.name, table.row_security).map(Into::into));
    operations.extend(table.policies.iter().flat_map(|(name, policy)| create_policy::recreate(&table.name, name, policy)));
    operations
}

/// What a table that inherits says otherwise of its parents' columns.
fn differ_from_parents(before: &Schema, table: &Table, operations: &mut Vec<Operation>) {
    let mut made = before.clone();
    made.tables.remove(&table.name);
    for operation in operations.iter() {
        operation.apply(&mut made, &Origin::default());
    }
    for column in &table.columns {
        let Some(new) = made.column(&table.name, column.name.as_str()) else { continue };
        let (of, name, only) = (table.name.clone(), column.name.clone(), true);
        if column.not_null && !new.not_null {
            operations.push(SetNotNull { table: of.clone(), column: name.clone(), only }.into());
        }
        if column.comment != new.comment {
            operations.extend(CommentOn::restore(ObjectKey::Column(of.clone(), name.clone()), column.comment.as_ref()));
        }
        if column.default != new.default {
            operations.push(match column.default.clone() {
                Some(default) => SetDefault { table: of, column: name, default, only }.into(),
                None => DropDefault { table: of, column: name, only }.into(),
            });
        }
    }
}

/// Whether `create table` makes the same sequence again for a column of a serial type.
fn is_serial(table: &Table, name: &QualifiedName, sequence: &Sequence) -> bool {
    let Some(column) = sequence.owned_by.as_ref().and_then(|(_, column)| table.column(column.as_str())) else { return false };
    let usual = naming::make_object_name(table.name.name.as_str(), Some(column.name.as_str()), "seq");
    let options = SequenceOptions { data_type: create_table::serial_type(column), ..SequenceOptions::default() };
    let default = column.default.as_ref().is_some_and(|default| *default == create_table::serial_default(name));
    default && column.not_null && *name == table.name.sibling(usual) && sequence.options == options
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
    use crate::name::QualifiedName;
    use crate::operation::Operation;
    use squawk_syntax::ast;

    impl DropTable {
        /// One operation a table.
        pub(crate) fn lower(statement: &ast::DropTable) -> Option<Vec<Operation>> {
            let cascade = matches!(statement.drop_behavior(), Some(ast::DropBehavior::Cascade(_)));
            let if_exists = statement.if_exists().is_some();
            let names: Vec<_> = statement.table_name_refs().map(|table| syntax::table_ref(&table)).collect::<Option<_>>()?;
            let drop = |(i, name): (usize, &QualifiedName)| {
                let together = names[i + 1..].to_vec();
                Self { name: name.clone(), cascade, if_exists, together, releases: Vec::new(), frees: Vec::new() }.into()
            };
            Some(names.iter().enumerate().map(drop).collect())
        }
    }
}
