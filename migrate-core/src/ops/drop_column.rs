//! `alter table … drop column`.
//!
//! - **SQL**: `alter table documents drop column body`
//! - **Lock**: access exclusive on the table, on the targets of foreign keys that fall, and on what falls by `cascade`
//! - **Rewrites**: nothing; the space is given back when rows are written
//! - **Transaction**: inside
//! - **Undo**: `add column` with its constraints and indexes, where a value for the old rows is known; the data is lost
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER TABLE`

use crate::checks;
use crate::effects::{Effects, LockMode};
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, NoInverse, Operate, Operation};
use crate::ops::{AddColumn, AddConstraint, access, cascade, create_index, drop_table, family};
use crate::report::Report;
use crate::schema::{ConstraintKind, ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Drops a column, with the indexes and constraints that involve it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropColumn {
    /// The table.
    pub table: QualifiedName,
    /// The column.
    pub column: Name,
    /// `cascade`.
    #[serde(default)]
    pub cascade: bool,
    /// `if exists`.
    #[serde(default)]
    pub if_exists: bool,
    /// `alter table only`: the tables below keep theirs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only: bool,
}

impl DropColumn {
    /// Drops a column that nothing depends on.
    #[must_use]
    pub fn new(table: QualifiedName, column: Name) -> Self {
        Self { table, column, cascade: false, if_exists: false, only: false }
    }

    /// Drops the column with all that depends on it.
    #[must_use]
    pub fn cascading(table: &QualifiedName, column: &Name) -> Self {
        Self { cascade: true, ..Self::new(table.clone(), column.clone()) }
    }

    /// What `cascade` drops before the column.
    fn before_it(&self, schema: &Schema) -> Vec<Operation> {
        if self.cascade { cascade::of_column(schema, &self.table, &self.column) } else { Vec::new() }
    }

    fn check_dependents(&self, schema: &Schema, report: &mut Report) {
        let name = format!("column `{}.{}`", self.table, self.column);
        report.needed_by_policies(self.column.at, &name, &schema.policies_reading_column(&self.table, self.column.as_str()));
        report.views_depend(schema, self.column.at, &name, &schema.views_reading_column(&self.table, self.column.as_str()));
        report.needed_by_foreign_keys(schema, self.column.at, &name, &schema.foreign_keys_to_column(&self.table, self.column.as_str()));
        report.triggers_depend(self.column.at, &name, &schema.triggers_on_column(&self.table, self.column.as_str()));
        for computed in cascade::generated_from(schema, &self.table, &self.column) {
            let key = ObjectKey::Column(self.table.clone(), computed.clone());
            let help = format!("drop column `{computed}` first, or write `cascade` to drop it, too");
            report.column_has_dependent(&self.table, &self.column, &key, help);
        }
    }

    /// What adds the column again when nothing fell with it but what belongs to it.
    fn add_again(&self, before: &Schema) -> Inverse {
        let Some(column) = before.column(&self.table, self.column.as_str()) else {
            return Err(NoInverse::because(format!("nothing is known of column `{}.{}`", self.table, self.column)));
        };
        let Some(table) = before.table(&self.table) else {
            return Err(NoInverse::because(format!("nothing is known of table `{}`", self.table)));
        };
        if self.only
            && before.children(&self.table).iter().any(|child| before.column(child, self.column.as_str()).is_some_and(|it| !it.local))
        {
            return Err(NoInverse::because(format!(
                "the tables that inherit from `{}` keep column `{}` as their own, and nothing changes that",
                self.table, self.column
            )));
        }
        let falls: Vec<_> =
            table.constraints.values().filter(|constraint| constraint.kind.involves(self.column.as_str())).cloned().collect();
        if let Some(what) = table.unmodelled.iter().find(|what| what.falls_with_column(self.cascade)) {
            return Err(NoInverse::because(format!(
                "{what} of table `{}` may fall with it, and the model can't bring it back",
                self.table
            )));
        }
        let filled = column.default.is_some() || column.identity.is_some() || column.generated.is_some();
        if column.not_null && !filled {
            return Err(NoInverse::because(format!(
                "column `{}.{}` is `not null` without a default, so no value for its rows is known",
                self.table, self.column
            )));
        }
        let key = falls.iter().any(|constraint| matches!(constraint.kind, ConstraintKind::PrimaryKey(_)));
        if key && column.identity.is_none() {
            return Err(NoInverse::because("it is part of the primary key, whose values are lost"));
        }
        // a constraint that isn't valid for all rows can't be made with the column
        let (falls, later): (Vec<_>, Vec<_>) = falls.into_iter().partition(|constraint| constraint.validated);
        let add = AddColumn { table: self.table.clone(), column: column.clone(), constraints: falls, serial: None, if_not_exists: false };
        let owned: Vec<_> = drop_table::owned_sequences(before, &self.table, Some(&self.column)).collect();
        let mut operations: Vec<_> = drop_table::recreate_sequences(&owned).collect();
        operations.push(add.into());
        operations.extend(drop_table::give_back(&owned));
        create_index::recreate_indexes(table, |index| index.involves(self.column.as_str()), &mut operations);
        operations
            .extend(later.iter().filter_map(|constraint| AddConstraint::again(before, &self.table, &constraint.name)).map(Into::into));
        let of_column = table.access.granted().filter(|privilege| privilege.column.as_ref() == Some(&self.column));
        operations.extend(access::grants(&ObjectKey::Table(self.table.clone()), of_column, &table.access));
        let drop = |schema: &mut Schema| schema.remove_column(&self.table, self.column.as_str(), self.only);
        Ok(family::give_back(before, &self.table, operations, drop))
    }
}

impl Operate for DropColumn {
    fn describe(&self) -> String {
        format!("drop column `{}.{}`", self.table, self.column)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Table(self.table.clone())]
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Column(self.table.clone(), self.column.clone())]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        if !report.needs_table(schema, &self.table) {
            return;
        }
        if !self.if_exists {
            report.needs_column(schema, &self.table, &self.column);
        }
        if !checks::own_column(schema, &self.table, &self.column, "drop", report) {
            return;
        }
        if schema.table(&self.table).is_some_and(|table| table.is_partitioned_by(self.column.as_str())) {
            report.in_partition_key(&self.table, &self.column);
        }
        if !self.cascade {
            self.check_dependents(schema, report);
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        let Some(table) = schema.table(&self.table) else { return };
        if table.column(self.column.as_str()).is_none() || table.is_partitioned_by(self.column.as_str()) {
            return;
        }
        cascade::apply(&self.before_it(schema), schema, origin);
        schema.remove_column(&self.table, self.column.as_str(), self.only);
        schema.record_departure(ObjectKey::Column(self.table.clone(), self.column.clone()), None, origin);
    }

    fn effects(&self, schema: &Schema) -> Effects {
        let own = Effects::lock(&self.table, LockMode::AccessExclusive);
        let constraints = schema.table(&self.table).into_iter().flat_map(|table| table.constraints.values());
        let targets = constraints.filter_map(|constraint| match &constraint.kind {
            ConstraintKind::ForeignKey(key) if constraint.kind.involves(self.column.as_str()) => Some(key.references.clone()),
            _ => None,
        });
        let effects = targets.fold(own, |effects, table| effects.and_lock(&table, LockMode::AccessExclusive));
        let effects = cascade::and_locks(effects, &self.before_it(schema), schema);
        // with `only`, too, what the children inherit is made their own
        let effects = if self.only {
            schema.children(&self.table).iter().fold(effects, |effects, child| effects.and_lock(child, LockMode::AccessExclusive))
        } else {
            effects.and_descendants(schema, &self.table)
        };
        Effects { loses_data: true, breaks_readers: true, ..effects }
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        cascade::undo(&self.before_it(before), before, |schema| self.add_again(schema))
    }

    fn render(&self) -> Vec<String> {
        let cascade = if self.cascade { " cascade" } else { "" };
        let only = if self.only { "only " } else { "" };
        vec![format!("alter table {only}{} drop column {}{cascade}", self.table.quoted(), self.column.quoted())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::DropColumn;
    use crate::lower::syntax;
    use crate::name::QualifiedName;
    use squawk_syntax::ast;

    impl DropColumn {
        pub(crate) fn lower(table: &QualifiedName, action: &ast::DropColumn) -> Option<Self> {
            Some(Self {
                table: table.clone(),
                column: syntax::name(&action.column_name_ref()?),
                cascade: matches!(action.drop_behavior(), Some(ast::DropBehavior::Cascade(_))),
                if_exists: action.if_exists().is_some(),
                only: false,
            })
        }
    }
}
