//! A statement that the model has no operation for.
//!
//! - **SQL**: anything that PostgreSQL's grammar accepts
//! - **Lock**: unknown; that of the statement
//! - **Rewrites**: unknown
//! - **Transaction**: inside, but for the statements that PostgreSQL refuses there
//! - **Undo**: none; write `down!` or `irreversible!`
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, "SQL Commands"

use crate::effects::{Effects, TransactionNeed};
use crate::expression::Expression;
use crate::name::QualifiedName;
use crate::operation::{Inverse, NoInverse, Operate};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, OtherKind, OtherObject, Schema};
use serde::{Deserialize, Serialize};

/// A statement that is run as it stands: parsed, guarded by its savepoint, journalled, but not modelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opaque {
    /// What kind of statement: `create function`, `update`, `alter table`.
    pub kind: String,
    /// Its text.
    pub sql: Expression,
    /// The relations that it names, of which those that the model knows as tables or views are required.
    #[serde(default)]
    pub relations: Vec<QualifiedName>,
    /// What it creates that later statements may name.
    #[serde(default)]
    pub creates: Vec<(OtherKind, QualifiedName)>,
    /// What it drops of that kind.
    #[serde(default)]
    pub drops: Vec<QualifiedName>,
    /// Whether PostgreSQL refuses it in a transaction block.
    #[serde(default)]
    pub outside_transaction: bool,
}

impl Opaque {
    /// A statement in SQLite's own language, which the grammar doesn't read.
    #[must_use]
    pub fn sqlite(sql: String) -> Self {
        let kind = sql.split_whitespace().next().unwrap_or_default().to_lowercase();
        Self { kind, sql: Expression::new(sql), relations: Vec::new(), creates: Vec::new(), drops: Vec::new(), outside_transaction: false }
    }

    /// An action on one table that the model has no operation for.
    #[must_use]
    pub fn on_table(kind: &str, sql: String, table: &QualifiedName) -> Self {
        Self {
            kind: kind.to_owned(),
            sql: Expression::new(sql),
            relations: vec![table.clone()],
            creates: Vec::new(),
            drops: Vec::new(),
            outside_transaction: false,
        }
    }
}

impl Operate for Opaque {
    fn describe(&self) -> String {
        let mut line = self.sql.sql().split_whitespace().collect::<Vec<_>>().join(" ");
        if line.chars().count() > 60 {
            line = line.chars().take(57).chain("...".chars()).collect();
        }
        format!("run `{line}`")
    }

    fn requires(&self) -> Vec<ObjectKey> {
        self.relations.iter().map(|relation| ObjectKey::Table(relation.clone())).collect()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        Vec::new()
    }

    fn bind(&mut self, schema: &Schema) {
        self.relations.retain(|relation| schema.tables.contains_key(relation));
    }

    fn check(&self, _schema: &Schema, _report: &mut Report) {}

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        for (kind, name) in &self.creates {
            schema.others.insert(name.clone(), OtherObject { kind: *kind, origin: origin.clone() });
        }
        for name in &self.drops {
            schema.others.remove(name);
        }
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        let transaction = if self.outside_transaction { TransactionNeed::Outside } else { TransactionNeed::Inside };
        Effects { transaction, ..Effects::default() }
    }

    fn inverse(&self, _before: &Schema) -> Inverse {
        Err(NoInverse::because(format!("`{}` is run as it stands", self.kind)))
    }

    fn render(&self) -> Vec<String> {
        vec![self.sql.sql().to_owned()]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::Opaque;
    use crate::expression::Expression;
    use crate::lower::syntax;
    use crate::schema::OtherKind;
    use squawk_syntax::ast::{self, AstNode};

    impl Opaque {
        pub(crate) fn lower(statement: &ast::Stmt, sql: &str) -> Self {
            let node = statement.syntax();
            let relations = node
                .descendants()
                .filter_map(ast::RelationNameRef::cast)
                .filter_map(|relation| syntax::path_ref(&relation.path_ref()?))
                .chain(node.descendants().filter_map(ast::TableNameRef::cast).filter_map(|table| syntax::table_ref(&table)))
                .collect();
            let mut operation = Self {
                kind: leading_words(sql),
                sql: Expression::written(sql, syntax::at(node)),
                relations,
                creates: Vec::new(),
                drops: Vec::new(),
                outside_transaction: outside_transaction(statement),
            };
            operation.note_names(statement);
            operation
        }

        fn note_names(&mut self, statement: &ast::Stmt) {
            let created = match statement {
                ast::Stmt::CreateType(it) => it.type_name().and_then(|name| name.path()).map(|path| (OtherKind::Type, path)),
                ast::Stmt::CreateDomain(it) => it.domain().and_then(|name| name.path()).map(|path| (OtherKind::Type, path)),
                ast::Stmt::CreateTable(it) => it.table_name().and_then(|name| name.path()).map(|path| (OtherKind::Relation, path)),
                ast::Stmt::CreateTableAs(it) => it.table_name().and_then(|name| name.path()).map(|path| (OtherKind::Relation, path)),
                ast::Stmt::CreateForeignTable(it) => it.table_name().and_then(|name| name.path()).map(|path| (OtherKind::Relation, path)),
                _ => None,
            };
            self.creates.extend(created.and_then(|(kind, path)| Some((kind, syntax::path(&path)?))));
        }
    }

    fn leading_words(sql: &str) -> String {
        let count =
            if sql.len() >= 6 && ["create", "alter", "drop"].iter().any(|word| sql.to_lowercase().starts_with(word)) { 2 } else { 1 };
        sql.split_whitespace().take(count).collect::<Vec<_>>().join(" ").to_lowercase()
    }

    fn outside_transaction(statement: &ast::Stmt) -> bool {
        match statement {
            ast::Stmt::Vacuum(_)
            | ast::Stmt::CreateDatabase(_)
            | ast::Stmt::DropDatabase(_)
            | ast::Stmt::CreateTablespace(_)
            | ast::Stmt::DropTablespace(_)
            | ast::Stmt::AlterSystem(_) => true,
            ast::Stmt::Reindex(it) => syntax::text(it.syntax()).to_lowercase().contains("concurrently"),
            _ => false,
        }
    }
}
