//! Messages about constraints and indexes.

use super::{Report, created};
use crate::name::{At, Name, QualifiedName};
use crate::schema::{Column, Constraint, ConstraintKind, ForeignKey, ObjectKey, Schema};

impl Report {
    /// A foreign key names no columns of a table that has no primary key.
    pub(crate) fn no_primary_key(&mut self, target: &QualifiedName) {
        self.problem(target.at(), format!("there is no primary key for referenced table `{target}`")).help =
            Some("name the referenced columns, or add a primary key first".to_owned());
    }

    /// A foreign key names more or fewer columns of its target than of its own table.
    pub(crate) fn foreign_key_length(&mut self, key: &ForeignKey) {
        let (own, referenced) = (key.columns.len(), key.referenced_columns.len());
        self.problem(
            or(span(&key.columns), key.references.at()),
            format!("number of referencing and referenced columns for foreign key disagree: {own} and {referenced}"),
        )
        .help = Some(format!("name as many columns of `{}` as of this table", key.references));
    }

    /// Nothing makes the referenced columns unique, or only a constraint that is deferrable.
    pub(crate) fn no_unique_key(&mut self, key: &ForeignKey, deferrable: Option<&Name>) {
        let target = &key.references;
        let at = or(span(&key.referenced_columns), target.at());
        let columns = key.referenced_columns.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        if let Some(deferrable) = deferrable {
            let problem = self.problem(at, format!("cannot use a deferrable unique constraint for referenced table `{target}`"));
            problem.notes.push(format!("`{deferrable}` is deferrable"));
            return;
        }
        let problem = self.problem(at, format!("there is no unique constraint matching given keys for referenced table `{target}`"));
        problem.help = Some(format!("add one first: `alter table {target} add unique ({columns})`"));
    }

    /// No operator compares the columns of a foreign key.
    pub(crate) fn incomparable_columns(&mut self, schema: &Schema, key: &ForeignKey, table: &QualifiedName, from: &Column, to: &Column) {
        let created = created(schema, &ObjectKey::Column(key.references.clone(), to.name.clone()));
        let at = or(span(&key.columns), key.references.at());
        let problem = self.problem(at, "foreign key cannot be implemented: its columns are of incompatible types");
        let of = |table: &QualifiedName, column: &Column| format!("`{table}.{}` is {}", column.name, column.data_type);
        problem.notes.push(format!("{}, {}", of(table, from), of(&key.references, to)));
        problem.notes.extend(created.map(|created| format!("`{}.{}` was {created}", key.references, to.name)));
        problem.help = Some(format!("give `{table}.{}` the type {}", from.name, to.data_type));
    }

    /// A table can't have a second primary key.
    pub(crate) fn second_primary_key(&mut self, table: &QualifiedName, existing: &Name, added: &Constraint) {
        let columns = match &added.kind {
            ConstraintKind::PrimaryKey(key) => span(&key.columns),
            _ => At::default(),
        };
        let at = or(added.name.at, or(columns, table.at()));
        self.problem(at, format!("table `{table}` has a primary key already: `{existing}`")).help =
            Some(format!("drop constraint `{existing}` first, or write `unique`"));
    }

    /// Two columns of one table would get the same sequence.
    pub(crate) fn same_sequence(&mut self, column: &Name, sequence: &QualifiedName) {
        self.problem(column.at, format!("column `{column}` gets the sequence `{sequence}`, which another column of the table gets, too"))
            .help = Some("shorten one of the names, or name the sequence: `generated … as identity (sequence name …)`".to_owned());
    }

    /// Foreign keys need what is to be dropped.
    pub(crate) fn needed_by_foreign_keys(&mut self, schema: &Schema, at: At, what: &str, foreign_keys: &[(QualifiedName, Name)]) {
        let Some(((table, constraint), further)) = foreign_keys.split_first() else { return };
        let created = |table: &QualifiedName, name: &Name| created(schema, &ObjectKey::Constraint(table.clone(), name.clone()));
        let problem = self.problem(at, format!("foreign key `{constraint}` of table `{table}` depends on {what}"));
        problem.notes.extend(created(table, constraint).map(|created| format!("the foreign key was {created}")));
        problem.notes.extend(further.iter().map(|(table, name)| {
            let created = created(table, name).map(|created| format!(", and was {created}")).unwrap_or_default();
            format!("foreign key `{name}` of table `{table}` depends on it, too{created}")
        }));
        problem.help = Some("drop the foreign key first, or write `cascade`".to_owned());
    }

    /// The index belongs to a constraint.
    pub(crate) fn index_of_constraint(&mut self, table: &QualifiedName, index: &QualifiedName) {
        let constraint = &index.name;
        self.problem(index.at(), format!("constraint `{constraint}` on table `{table}` requires index `{index}`")).help =
            Some(format!("drop the constraint instead: `alter table {table} drop constraint {constraint}`"));
    }

    /// A relation of another kind has the name of the index that a statement is about.
    pub(crate) fn not_an_index(&mut self, name: &QualifiedName, kind: &str) {
        self.problem(name.at(), format!("`{name}` is {} {kind}, not an index", super::article(kind)));
    }

    /// The index of a new constraint is another table's.
    pub(crate) fn index_of_other_table(&mut self, index: &QualifiedName, owner: &QualifiedName, table: &QualifiedName) {
        self.problem(index.at(), format!("index `{index}` belongs to table `{owner}`, not to `{table}`"));
    }

    /// The index of a new constraint has one already.
    pub(crate) fn index_has_constraint(&mut self, index: &QualifiedName, table: &QualifiedName) {
        self.problem(index.at(), format!("index `{index}` belongs to a constraint of table `{table}` already"));
    }

    /// The index of a new constraint is none that PostgreSQL would have made for it.
    pub(crate) fn index_cannot_be_constraint(&mut self, index: &QualifiedName, obstacle: &str) {
        self.problem(index.at(), format!("index `{index}` {obstacle}, so no constraint can be made of it"));
    }

    /// The constraint is of a kind that is valid from the start.
    pub(crate) fn not_validatable(&mut self, table: &QualifiedName, constraint: &Name) {
        self.problem(constraint.at, format!("constraint `{constraint}` of table `{table}` is not a foreign key or check constraint"));
    }

    /// The name of a new index, or of a constraint with one, is another index's.
    pub(crate) fn index_exists(&mut self, schema: &Schema, name: &QualifiedName) {
        self.already_exists(schema, &ObjectKey::Index(name.clone()), name.at());
        let relation = schema.index(name).map(|(relation, _)| relation);
        let relation = relation.or_else(|| schema.table_of_constraint_index(name).map(|table| &table.name));
        if let (Some(relation), Some(problem)) = (relation, self.problems.last_mut()) {
            problem.notes.push(format!("it belongs to {} `{relation}`", schema.relation_kind(relation).unwrap_or("table")));
        }
    }

    /// Only of foreign keys PostgreSQL changes when they are checked.
    pub(crate) fn not_alterable(&mut self, table: &QualifiedName, constraint: &Name) {
        self.problem(constraint.at, format!("constraint `{constraint}` of table `{table}` is not a foreign key")).help =
            Some("drop it, and add it again with the options that it shall have".to_owned());
    }

    /// A partitioned table gets no index concurrently.
    pub(crate) fn no_concurrent_index(&mut self, table: &QualifiedName) {
        self.problem(table.at(), format!("cannot create an index on partitioned table `{table}` concurrently")).help =
            Some("create it on `only` the table, and concurrently on each partition".to_owned());
    }

    /// A partitioned table loses no index concurrently.
    pub(crate) fn no_concurrent_drop(&mut self, index: &QualifiedName, table: &QualifiedName) {
        self.problem(index.at(), format!("cannot drop index `{index}` of partitioned table `{table}` concurrently")).help =
            Some("leave out `concurrently`".to_owned());
    }

    /// What is dropped concurrently is dropped alone.
    pub(crate) fn no_concurrent_cascade(&mut self, index: &QualifiedName) {
        self.problem(index.at(), "`drop index concurrently` does not support `cascade`").help =
            Some("drop what depends on the index first".to_owned());
    }
}

/// From the first to the last of the names.
fn span(names: &[Name]) -> At {
    let written = || names.iter().map(|name| name.at).filter(|at| !at.range().is_empty());
    let start = written().map(|at| at.start).min().unwrap_or_default();
    let end = written().map(|at| at.end).max().unwrap_or_default();
    At { start, end }
}

fn or(at: At, other: At) -> At {
    if at.range().is_empty() { other } else { at }
}
