//! `alter table … set (…)`, `reset (…)`, `set logged`, `set unlogged`, `set tablespace`, `set access method`.
//!
//! - **SQL**: `alter table documents set (fillfactor = 70)`
//! - **Lock**: share update exclusive on the table for storage parameters; access exclusive for the rest
//! - **Rewrites**: nothing for storage parameters; the table where it becomes logged or unlogged, or gets another tablespace or
//!   access method
//! - **Transaction**: inside
//! - **Undo**: what it was
//! - **Since**: PostgreSQL 13; `set access method` 15
//! - **Source**: PostgreSQL manual, `ALTER TABLE`

use crate::effects::{Effects, LockMode};
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, NoInverse, Operate, Operation};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Parameters, Schema, Table};
use serde::{Deserialize, Serialize};

/// Changes how the rows of a table are stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlterStorage {
    /// The table.
    pub table: QualifiedName,
    /// What is changed.
    pub change: StorageChange,
}

/// One aspect of how rows are stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StorageChange {
    /// `set (…)`.
    Set(Parameters),
    /// `reset (…)`.
    Reset(Vec<String>),
    /// `set logged`.
    Logged,
    /// `set unlogged`: after a crash the table is empty.
    Unlogged,
    /// `set tablespace`.
    Tablespace(Name),
    /// `set access method`.
    AccessMethod(Name),
}

impl AlterStorage {
    /// Whether the rows are written anew.
    fn rewrites(&self, table: Option<&Table>) -> bool {
        let Some(table) = table else { return !matches!(self.change, StorageChange::Set(_) | StorageChange::Reset(_)) };
        if table.is_partitioned() {
            return false;
        }
        match &self.change {
            StorageChange::Set(_) | StorageChange::Reset(_) => false,
            StorageChange::Logged => table.unlogged,
            StorageChange::Unlogged => !table.unlogged,
            StorageChange::Tablespace(to) => table.tablespace.as_ref() != tablespace(to).as_ref(),
            StorageChange::AccessMethod(to) => table.access_method.as_ref() != access_method(to).as_ref(),
        }
    }
}

fn tablespace(name: &Name) -> Option<Name> {
    Some(name.clone()).filter(|name| name.as_str() != "pg_default")
}

fn access_method(name: &Name) -> Option<Name> {
    Some(name.clone()).filter(|name| name.as_str() != "heap")
}

impl Operate for AlterStorage {
    fn describe(&self) -> String {
        let table = &self.table;
        match &self.change {
            StorageChange::Set(parameters) => format!("set ({parameters}) of `{table}`"),
            StorageChange::Reset(parameters) => format!("reset ({}) of `{table}`", parameters.join(", ")),
            StorageChange::Logged => format!("make table `{table}` logged"),
            StorageChange::Unlogged => format!("make table `{table}` unlogged"),
            StorageChange::Tablespace(name) => format!("move table `{table}` to tablespace `{name}`"),
            StorageChange::AccessMethod(name) => format!("store table `{table}` by access method `{name}`"),
        }
    }

    fn requires(&self) -> Vec<ObjectKey> {
        Vec::new()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Table(self.table.clone())]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        report.needs_table(schema, &self.table);
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        let Some(table) = schema.tables.get_mut(&self.table) else { return };
        match &self.change {
            StorageChange::Set(parameters) => table.storage.set(parameters),
            StorageChange::Reset(names) => names.iter().for_each(|name| table.storage.reset(name)),
            StorageChange::Logged => table.unlogged = false,
            StorageChange::Unlogged => table.unlogged = true,
            StorageChange::Tablespace(name) => table.tablespace = tablespace(name),
            StorageChange::AccessMethod(name) => table.access_method = access_method(name),
        }
    }

    fn effects(&self, schema: &Schema) -> Effects {
        let mode = match &self.change {
            StorageChange::Set(parameters) if parameters.get("user_catalog_table").is_none() => LockMode::ShareUpdateExclusive,
            StorageChange::Reset(names) if !names.iter().any(|name| name == "user_catalog_table") => LockMode::ShareUpdateExclusive,
            _ => LockMode::AccessExclusive,
        };
        let effects = Effects::lock(&self.table, mode);
        if self.rewrites(schema.table(&self.table)) { effects.and_rewrite(&self.table) } else { effects }
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        let Some(table) = before.table(&self.table) else {
            return Err(NoInverse::because(format!("nothing is known of table `{}`", self.table)));
        };
        let mut after = before.clone();
        self.apply(&mut after, &Origin::default());
        if after.table(&self.table) == Some(table) {
            return Ok(Vec::new());
        }
        let back = |change: StorageChange| -> Operation { Self { table: self.table.clone(), change }.into() };
        let restored = |names: &mut dyn Iterator<Item = &str>| {
            let (mut set, mut reset) = (Parameters::default(), Vec::new());
            for name in names {
                match table.storage.get(name) {
                    Some(value) => set.set(&Parameters::read(&format!("{name}={value}"))),
                    None => reset.push(name.to_owned()),
                }
            }
            let set = Some(StorageChange::Set(set.clone())).filter(|_| !set.is_empty());
            let reset = Some(StorageChange::Reset(reset.clone())).filter(|_| !reset.is_empty());
            set.into_iter().chain(reset).map(back).collect::<Vec<_>>()
        };
        Ok(match &self.change {
            StorageChange::Set(parameters) => restored(&mut parameters.iter().map(|(name, _)| name)),
            StorageChange::Reset(names) => restored(&mut names.iter().map(String::as_str).filter(|name| table.storage.get(name).is_some())),
            StorageChange::Logged => vec![back(StorageChange::Unlogged)],
            StorageChange::Unlogged => vec![back(StorageChange::Logged)],
            StorageChange::Tablespace(_) => {
                vec![back(StorageChange::Tablespace(table.tablespace.clone().unwrap_or_else(|| Name::new("pg_default"))))]
            }
            StorageChange::AccessMethod(_) => {
                vec![back(StorageChange::AccessMethod(table.access_method.clone().unwrap_or_else(|| Name::new("heap"))))]
            }
        })
    }

    fn render(&self) -> Vec<String> {
        let action = match &self.change {
            StorageChange::Set(parameters) => format!("set ({parameters})"),
            StorageChange::Reset(names) => format!("reset ({})", names.join(", ")),
            StorageChange::Logged => "set logged".to_owned(),
            StorageChange::Unlogged => "set unlogged".to_owned(),
            StorageChange::Tablespace(name) => format!("set tablespace {}", name.quoted()),
            StorageChange::AccessMethod(name) => format!("set access method {}", name.quoted()),
        };
        vec![format!("alter table {} {action}", self.table.quoted())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::{AlterStorage, StorageChange};
    use crate::lower::{indexes, syntax};
    use crate::name::{Name, QualifiedName};
    use crate::schema::Parameters;
    use squawk_syntax::ast;

    impl AlterStorage {
        /// `None` for the other actions.
        pub(crate) fn lower(table: &QualifiedName, action: &ast::AlterTableAction) -> Option<Self> {
            let parameters = |list: Option<ast::AttributeList>| Some(Parameters::read(&indexes::attributes(&list?)));
            let change = match action {
                ast::AlterTableAction::SetOptions(it) => StorageChange::Set(parameters(it.attribute_list())?),
                ast::AlterTableAction::ResetOptions(it) => {
                    StorageChange::Reset(parameters(it.attribute_list())?.iter().map(|(name, _)| name.to_owned()).collect())
                }
                ast::AlterTableAction::SetLogged(_) => StorageChange::Logged,
                ast::AlterTableAction::SetUnlogged(_) => StorageChange::Unlogged,
                ast::AlterTableAction::SetTablespace(it) => StorageChange::Tablespace(syntax::name(&it.tablespace_ref()?)),
                ast::AlterTableAction::SetAccessMethod(it) => {
                    let method = it.access_method_ref().map_or_else(|| Name::new("heap"), |method| syntax::name(&method));
                    StorageChange::AccessMethod(method)
                }
                _ => return None,
            };
            Some(Self { table: table.clone(), change })
        }
    }
}
