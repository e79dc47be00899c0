//! `alter index … rename to`.
//!
//! - **SQL**: `alter index documents_status_idx rename to documents_by_status`
//! - **Lock**: none on the table; share update exclusive on the index
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: the rename back
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER INDEX`

use crate::checks;
use crate::effects::Effects;
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, Operate};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, OtherObject, Schema};
use serde::{Deserialize, Serialize};

/// Renames an index. The constraint that it belongs to, if any, is renamed with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenameIndex {
    /// The index.
    pub name: QualifiedName,
    /// Its new name, in the same schema.
    pub to: Name,
    /// Its table or materialized view, once bound.
    #[serde(default)]
    pub table: Option<QualifiedName>,
    /// Whether it belongs to a constraint of that table. Found out by `bind`.
    #[serde(default)]
    pub of_constraint: bool,
    /// `if exists`.
    #[serde(default)]
    pub if_exists: bool,
}

impl RenameIndex {
    fn new_name(&self) -> QualifiedName {
        self.name.sibling(self.to.clone())
    }
}

impl Operate for RenameIndex {
    fn describe(&self) -> String {
        format!("rename index `{}` to `{}`", self.name, self.to)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        self.table.iter().cloned().map(ObjectKey::Table).collect()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        match &self.table {
            Some(table) if self.of_constraint => {
                let constraint = |name: &Name| ObjectKey::Constraint(table.clone(), name.clone());
                vec![constraint(&self.name.name), constraint(&self.to)]
            }
            _ => vec![ObjectKey::Index(self.name.clone()), ObjectKey::Index(self.new_name())],
        }
    }

    fn bind(&mut self, schema: &Schema) {
        if let Some((relation, _)) = schema.index(&self.name) {
            self.table = Some(relation.clone());
            self.of_constraint = false;
        } else if let Some(table) = schema.table_of_constraint_index(&self.name) {
            self.table = Some(table.name.clone());
            self.of_constraint = true;
        }
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        report.check_length([&self.to]);
        match schema.relation_kind(&self.name) {
            Some("index" | "relation") => {
                checks::relation_name(schema, &self.new_name(), report);
            }
            Some(kind) => report.not_an_index(&self.name, kind),
            None if self.if_exists => {}
            None => {
                report.unknown(schema, &ObjectKey::Index(self.name.clone()), self.name.at());
                report.forgive(ObjectKey::Index(self.new_name()));
            }
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        if schema.relation_kind(&self.name) == Some("relation")
            && let Some(other) = schema.others.remove(&self.name)
        {
            schema.others.insert(self.new_name(), OtherObject { origin: origin.clone(), ..other });
        }
        let (from, to) = (self.name.name.as_str(), &self.to);
        let of_index = schema.index(&self.name).map(|(relation, _)| relation.clone());
        let of_constraint = schema.table_of_constraint_index(&self.name).map(|table| table.name.clone());
        let renamed_on = of_index.clone().or_else(|| of_constraint.clone());
        if let Some(indexes) = of_index.and_then(|relation| schema.indexes_mut(&relation)) {
            if let Some((place, _, mut index)) = indexes.shift_remove_full(from) {
                index.name = to.clone();
                indexes.shift_insert(place, to.clone(), index);
            }
        } else if let Some(table) = of_constraint.and_then(|table| schema.tables.get_mut(&table)) {
            table.rename_constraint(from, to);
            let constraint = ObjectKey::Constraint(table.name.clone(), self.name.name.clone());
            schema.record_departure(constraint, Some(to.to_string()), origin);
        } else {
            return;
        }
        schema.record_departure(ObjectKey::Index(self.name.clone()), Some(to.to_string()), origin);
        if let Some(table) = renamed_on {
            schema.follow_index_rename(&table, &self.name.name, to);
        }
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects::default()
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        if self.if_exists && before.relation_kind(&self.name).is_none() {
            return Ok(Vec::new());
        }
        let back = Self {
            name: self.new_name(),
            to: self.name.name.clone(),
            table: self.table.clone(),
            of_constraint: self.of_constraint,
            if_exists: false,
        };
        Ok(vec![back.into()])
    }

    fn render(&self) -> Vec<String> {
        vec![format!("alter index {} rename to {}", self.name.quoted(), self.to.quoted())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::RenameIndex;
    use crate::lower::syntax;
    use squawk_syntax::ast;

    impl RenameIndex {
        /// `None` for the other actions of `alter index`.
        pub(crate) fn lower(statement: &ast::AlterIndex) -> Option<Self> {
            let Some(ast::AlterIndexAction::IndexRenameTo(action)) = statement.action() else { return None };
            Some(Self {
                name: syntax::path_ref(&statement.index_ref()?.path_ref()?)?,
                to: syntax::path(&action.index()?.path()?)?.name,
                table: None,
                of_constraint: false,
                if_exists: statement.if_exists().is_some(),
            })
        }
    }
}
