//! A statement that the model has no operation for.
//!
//! - **SQL**: anything that PostgreSQL's grammar accepts
//! - **Lock**: unknown; that of the statement
//! - **Rewrites**: unknown
//! - **Transaction**: inside, but for the statements that PostgreSQL refuses there
//! - **Undo**: `drop`, of what a plain `create` creates; of anything else none: write `down!` or `irreversible!`
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, "SQL Commands"
//!
//! The README lists which statements these are, and why. Their names are known where others refer to them: a function of a
//! name like that of an aggregate is never an error.

use crate::data::Data;
use crate::effects::{Effects, TransactionNeed};
use crate::expression::Expression;
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, NoInverse, Operate};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, OtherKind, OtherObject, Schema, Unmodelled};
use serde::{Deserialize, Serialize};

/// A statement that is run as it stands: parsed, guarded by its savepoint, journalled, but not modelled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opaque {
    /// What kind of statement: `create function`, `update`, `alter table`.
    pub kind: String,
    /// Its text.
    pub sql: Expression,
    /// The relations that it names; once bound, those that the model knows as tables or views: they are required.
    #[serde(default)]
    pub relations: Vec<QualifiedName>,
    /// What it creates that later statements may name.
    #[serde(default)]
    pub creates: Vec<(OtherKind, QualifiedName)>,
    /// What it drops of that kind.
    #[serde(default)]
    pub drops: Vec<QualifiedName>,
    /// The functions that it creates: aggregates, and functions with what the model can't say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub creates_routines: Vec<QualifiedName>,
    /// The functions that it drops.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drops_routines: Vec<QualifiedName>,
    /// The functions whose grants or owner it changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks_routines: Vec<QualifiedName>,
    /// Whether PostgreSQL refuses it in a transaction block.
    #[serde(default)]
    pub outside_transaction: bool,
    /// What drops what it creates; `None` where it creates nothing, or may have found it there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<Expression>,
    /// What it leaves on tables and views, to fall with them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaves: Vec<(QualifiedName, Unmodelled)>,
    /// The schemas on all of whose tables and views it leaves a grant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants_in: Vec<Name>,
    /// What it takes away from tables and views.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub takes: Vec<(QualifiedName, Unmodelled)>,
    /// The relations that it names and nobody created, once bound.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<QualifiedName>,
    /// Whether names that are unknown or taken are no mistake: `if exists`, `if not exists`, `create temporary …`.
    #[serde(default)]
    pub tolerant: bool,
    /// The columns and rows that it names, where it reads or writes data.
    #[serde(skip)]
    pub data: Data,
    /// Why it can't be part of a migration.
    #[serde(default)]
    pub refusal: Option<Refusal>,
}

/// Why a statement can't be part of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// `begin`, `commit`, `savepoint`, …: the engine would no longer know where it stands.
    ControlsTransaction,
    /// `set search_path`: names without a schema would mean something else than in the model.
    MovesSearchPath,
    /// `copy … from stdin`: there is no input.
    ReadsInput,
    /// A function without `as`, `return` or `begin atomic`.
    LacksBody,
    /// A function whose body is a string in nobody knows which language.
    LacksLanguage,
    /// `alter function` without anything that it changes: the grammar takes that at the end of a text.
    LacksOption,
}

impl Opaque {
    /// A statement in SQLite's own language, which the grammar doesn't read.
    #[must_use]
    pub fn sqlite(sql: String) -> Self {
        let kind = sql.split_whitespace().next().unwrap_or_default().to_lowercase();
        Self { kind, sql: Expression::new(sql), ..Self::default() }
    }

    /// An action on one table that the model has no operation for.
    #[must_use]
    pub fn on_table(kind: &str, sql: String, table: &QualifiedName) -> Self {
        Self { kind: kind.to_owned(), sql: Expression::new(sql), relations: vec![table.clone()], ..Self::default() }
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
        let modelled = |name: &QualifiedName| schema.tables.contains_key(name) || schema.views.contains_key(name);
        let (known, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.relations).into_iter().partition(modelled);
        for relation in known {
            if !self.relations.contains(&relation) {
                self.relations.push(relation);
            }
        }
        if !self.tolerant {
            self.unknown.extend(others.into_iter().filter(|name| schema.relation_kind(name).is_none() && schema.temporary(name).is_none()));
        }
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        match self.refusal {
            Some(Refusal::ControlsTransaction) => return report.controls_transaction(self.sql.sql(), self.sql.at),
            Some(Refusal::MovesSearchPath) => return report.moves_search_path(self.sql.at),
            Some(Refusal::ReadsInput) => return report.reads_input(self.sql.at),
            Some(Refusal::LacksBody) => return report.lacks_body(self.sql.at),
            Some(Refusal::LacksLanguage) => return report.lacks_language(self.sql.at),
            Some(Refusal::LacksOption) => return report.lacks_option(self.sql.at),
            None => {}
        }
        for (i, relation) in self.unknown.iter().enumerate() {
            if !self.unknown[..i].contains(relation) {
                report.needs_relation(schema, relation);
            }
        }
        self.data.check(schema, report);
        for (kind, name) in self.creates.iter().filter(|_| !self.tolerant) {
            match kind {
                OtherKind::Relation => report.relation_is_free(schema, &ObjectKey::Table(name.clone()), name),
                OtherKind::Type => {
                    report.check_length([&name.name]);
                    report.needs_schema(schema, &name.schema);
                    report.type_is_free(schema, name);
                }
            }
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        for (relation, what) in &self.takes {
            if let Some(unmodelled) = schema.unmodelled_mut(relation) {
                unmodelled.remove(what);
            }
        }
        let granted = schema.tables.keys().chain(schema.views.keys()).filter(|name| self.grants_in.contains(&name.schema));
        let granted: Vec<_> = granted.map(|name| (name.clone(), Unmodelled::Grant)).collect();
        for (relation, what) in self.leaves.iter().chain(&granted) {
            if let Some(unmodelled) = schema.unmodelled_mut(relation) {
                unmodelled.insert(what.clone());
            }
        }
        for name in &self.drops_routines {
            schema.other_routines.remove(name);
        }
        schema.other_routines.extend(self.creates_routines.iter().cloned());
        let marked = schema.routines.iter_mut().filter(|(signature, _)| self.marks_routines.contains(&signature.name));
        for (_, routine) in marked {
            routine.unmodelled.insert(format!("what `{}` did", self.kind));
        }
        for name in &self.drops {
            if let Some(other) = schema.others.remove(name) {
                let key = match other.kind {
                    OtherKind::Type => ObjectKey::Type(name.clone()),
                    OtherKind::Relation => ObjectKey::Table(name.clone()),
                };
                schema.record_departure(key, None, origin);
                schema.forget_indexes_of(name);
                schema.forget_triggers_of(name);
            }
        }
        for (kind, name) in &self.creates {
            if name.is_temporary() {
                schema.add_temporary(&name.name);
                continue;
            }
            let known = schema.relation_kind(name).is_some() || schema.has_type(name);
            if !known {
                schema.others.insert(name.clone(), OtherObject { kind: *kind, of: None, origin: origin.clone() });
            }
        }
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects::unknown(if self.outside_transaction { TransactionNeed::Outside } else { TransactionNeed::Inside })
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        if !self.creates.is_empty() && self.creates.iter().all(|(_, name)| name.is_temporary()) {
            return Ok(Vec::new());
        }
        let Some(undo) = &self.undo else {
            return Err(NoInverse::because(format!("`{}` is run as it stands", self.kind)));
        };
        // a policy is dropped from its table; what is dropped itself is no longer required
        let on_relation = self.kind == "create policy";
        Ok(vec![
            Self {
                kind: self.kind.replacen("create", "drop", 1),
                sql: undo.clone(),
                relations: if on_relation { self.relations.iter().take(1).cloned().collect() } else { Vec::new() },
                drops: self.creates.iter().map(|(_, name)| name.clone()).collect(),
                // another one of the name stays
                drops_routines: self.creates_routines.iter().filter(|name| !before.other_routines.contains(*name)).cloned().collect(),
                takes: self.leaves.clone(),
                ..Self::default()
            }
            .into(),
        ])
    }

    fn render(&self) -> Vec<String> {
        vec![self.sql.sql().to_owned()]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::{Opaque, Refusal};
    use crate::data::Data;
    use crate::expression::Expression;
    use crate::lower::{data, left, relations, syntax, undo};
    use crate::name::{QualifiedName, TEMPORARY_SCHEMA};
    use crate::schema::OtherKind;
    use squawk_syntax::SyntaxNode;
    use squawk_syntax::ast::{self, AstNode};

    impl Opaque {
        pub(crate) fn lower(statement: &ast::Stmt, sql: &str) -> Self {
            let node = statement.syntax();
            let mut operation = Self {
                kind: kind(statement),
                sql: Expression::written(sql, syntax::at(node)),
                relations: relations::read_by(node).collect(),
                outside_transaction: outside_transaction(statement),
                refusal: refusal(statement),
                data: if works_on_data(statement) { data::read(node) } else { Data::default() },
                undo: undo::drop_of(statement).map(Expression::new),
                leaves: left::leaves(statement),
                grants_in: left::grants_in(statement),
                takes: left::takes(statement),
                ..Self::default()
            };
            operation.note_names(statement);
            operation
        }

        fn note_names(&mut self, statement: &ast::Stmt) {
            let node = statement.syntax();
            let mut says = |found: bool| self.tolerant |= found;
            says(node.children().any(|child| ast::IfExists::can_cast(child.kind()) || ast::IfNotExists::can_cast(child.kind())));
            let temporary = undo::is_temporary(node);
            says(temporary);
            let created = match statement {
                ast::Stmt::CreateType(it) => it.type_name().and_then(|name| name.path()).map(|path| (OtherKind::Type, path)),
                ast::Stmt::CreateDomain(it) => it.domain().and_then(|name| name.path()).map(|path| (OtherKind::Type, path)),
                ast::Stmt::CreateTable(it) => it.table_name().and_then(|name| name.path()).map(|path| (OtherKind::Relation, path)),
                ast::Stmt::CreateTableAs(it) => it.table_name().and_then(|name| name.path()).map(|path| (OtherKind::Relation, path)),
                ast::Stmt::CreateForeignTable(it) => it.table_name().and_then(|name| name.path()).map(|path| (OtherKind::Relation, path)),
                ast::Stmt::CreateSequence(it) => it.sequence().and_then(|name| name.path()).map(|path| (OtherKind::Relation, path)),
                ast::Stmt::CreateView(it) => it.view().and_then(|name| name.path()).map(|path| (OtherKind::Relation, path)),
                ast::Stmt::SelectInto(it) => {
                    let into = it.into_clause().and_then(|into| into.table_name());
                    into.and_then(|name| name.path()).map(|path| (OtherKind::Relation, path))
                }
                _ => None,
            };
            // a shell type is created twice: first its name, then its definition
            self.tolerant |=
                matches!(statement, ast::Stmt::CreateType(it) if matches!(it.kind(), None | Some(ast::CreateTypeKind::BaseType(_))));
            let created = created.and_then(|(kind, path)| Some((kind, syntax::path(&path)?)));
            self.creates.extend(created.map(|(kind, name)| {
                let name = if temporary { QualifiedName { schema: TEMPORARY_SCHEMA.into(), ..name } } else { name };
                (kind, name)
            }));
            match statement {
                ast::Stmt::DropDomain(it) => {
                    self.drops.extend(it.domain_refs().filter_map(|name| syntax::path_ref(&name.path_ref()?)));
                }
                ast::Stmt::CreateAggregate(it) => self.creates_routines.extend(routine_name(it.syntax())),
                ast::Stmt::CreateFunction(it) => self.creates_routines.extend(routine_name(it.syntax())),
                ast::Stmt::CreateProcedure(it) => self.creates_routines.extend(routine_name(it.syntax())),
                ast::Stmt::AlterFunction(it) => self.marks_routines.extend(routine_names(it.syntax())),
                ast::Stmt::AlterProcedure(it) => self.marks_routines.extend(routine_names(it.syntax())),
                ast::Stmt::AlterRoutine(it) => self.marks_routines.extend(routine_names(it.syntax())),
                ast::Stmt::Grant(it) => self.marks_routines.extend(routine_names(it.syntax())),
                ast::Stmt::Revoke(it) => self.marks_routines.extend(routine_names(it.syntax())),
                ast::Stmt::DropForeignTable(it) => self.drops.extend(it.table_name_refs().filter_map(|name| syntax::table_ref(&name))),
                ast::Stmt::AlterDomain(it) => {
                    if let (Some(name), Some(ast::AlterDomainAction::DomainRenameTo(to))) = (it.domain_ref(), it.action()) {
                        let from = name.path_ref().and_then(|path| syntax::path_ref(&path));
                        let to = to.domain().and_then(|domain| domain.path()).and_then(|path| syntax::path(&path));
                        if let (Some(from), Some(to)) = (from, to) {
                            self.creates.push((OtherKind::Type, from.sibling(to.name)));
                            self.drops.push(from);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn works_on_data(statement: &ast::Stmt) -> bool {
        use ast::Stmt;
        matches!(
            statement,
            Stmt::Select(_)
                | Stmt::SelectInto(_)
                | Stmt::CompoundSelect(_)
                | Stmt::ParenSelect(_)
                | Stmt::Insert(_)
                | Stmt::Update(_)
                | Stmt::Delete(_)
                | Stmt::CreateTableAs(_)
        )
    }

    /// The function that a statement creates.
    fn routine_name(statement: &SyntaxNode) -> Option<QualifiedName> {
        syntax::path(&statement.descendants().find_map(ast::Path::cast)?)
    }

    /// The functions that a statement names.
    fn routine_names(statement: &SyntaxNode) -> Vec<QualifiedName> {
        let named = |node: SyntaxNode| {
            let functions = ast::FunctionNameRef::cast(node.clone()).and_then(|name| name.path_ref());
            let procedures = || ast::ProcedureNameRef::cast(node.clone()).and_then(|name| name.path_ref());
            let routines = || ast::RoutineNameRef::cast(node.clone()).and_then(|name| name.path_ref());
            syntax::path_ref(&functions.or_else(procedures).or_else(routines)?)
        };
        statement.descendants().filter_map(named).collect()
    }

    /// The words of the statement, from the name of its node: `CREATE_FUNCTION`.
    fn kind(statement: &ast::Stmt) -> String {
        match statement {
            ast::Stmt::CompoundSelect(_) | ast::Stmt::ParenSelect(_) => "select".to_owned(),
            statement => format!("{:?}", statement.syntax().kind()).to_lowercase().replace('_', " "),
        }
    }

    fn refusal(statement: &ast::Stmt) -> Option<Refusal> {
        match statement {
            ast::Stmt::Begin(_)
            | ast::Stmt::Commit(_)
            | ast::Stmt::Rollback(_)
            | ast::Stmt::SavepointCreate(_)
            | ast::Stmt::ReleaseSavepoint(_)
            | ast::Stmt::PrepareTransaction(_) => Some(Refusal::ControlsTransaction),
            ast::Stmt::Set(_) | ast::Stmt::Select(_) if crate::lower::file::moves_search_path(statement) => Some(Refusal::MovesSearchPath),
            ast::Stmt::Copy(it) => match it.copy_direction()? {
                ast::CopyDirection::CopyFrom(it) => {
                    matches!(it.copy_source()?, ast::CopySource::CopyStdin(_)).then_some(Refusal::ReadsInput)
                }
                ast::CopyDirection::CopyTo(_) => None,
            },
            ast::Stmt::CreateFunction(it) => lacks(it.body().is_some(), it.option_list()),
            ast::Stmt::CreateProcedure(it) => lacks(it.body().is_some(), it.option_list()),
            ast::Stmt::AlterFunction(it) => it.action().is_none().then_some(Refusal::LacksOption),
            ast::Stmt::AlterProcedure(it) => it.action().is_none().then_some(Refusal::LacksOption),
            ast::Stmt::AlterRoutine(it) => it.action().is_none().then_some(Refusal::LacksOption),
            _ => None,
        }
    }

    /// What a function has to have and hasn't: a body, and a language where it isn't written in SQL itself.
    fn lacks(sql_body: bool, options: Option<ast::FuncOptionList>) -> Option<Refusal> {
        let options: Vec<_> = options.iter().flat_map(ast::FuncOptionList::options).collect();
        let has_text = options.iter().any(|option| matches!(option, ast::FuncOption::AsFuncOption(_)));
        let has_language = options.iter().any(|option| matches!(option, ast::FuncOption::LanguageFuncOption(_)));
        match (sql_body, has_text) {
            (false, false) => Some(Refusal::LacksBody),
            (false, true) if !has_language => Some(Refusal::LacksLanguage),
            _ => None,
        }
    }

    /// PostgreSQL's `PreventInTransactionBlock`.
    fn outside_transaction(statement: &ast::Stmt) -> bool {
        let says = |node: &squawk_syntax::SyntaxNode, word: &str| {
            syntax::significant_tokens(node).any(|token| token.text().eq_ignore_ascii_case(word))
        };
        match statement {
            ast::Stmt::Vacuum(_)
            | ast::Stmt::CreateDatabase(_)
            | ast::Stmt::DropDatabase(_)
            | ast::Stmt::CreateTablespace(_)
            | ast::Stmt::DropTablespace(_)
            | ast::Stmt::CreateSubscription(_)
            | ast::Stmt::DropSubscription(_)
            | ast::Stmt::AlterSystem(_) => true,
            ast::Stmt::CreateIndex(it) => it.concurrently_token().is_some(),
            ast::Stmt::DropIndex(it) => it.concurrently_token().is_some(),
            ast::Stmt::Reindex(it) => match it.reindex_target() {
                Some(ast::ReindexTarget::ReindexTargetTable(_) | ast::ReindexTarget::ReindexTargetIndex(_)) => {
                    says(it.syntax(), "concurrently")
                }
                _ => true,
            },
            ast::Stmt::Cluster(it) => it.table_name_ref().is_none() && it.cluster_legacy().is_none(),
            ast::Stmt::AlterDatabase(it) => matches!(it.action(), Some(ast::AlterDatabaseAction::SetTablespace(_))),
            ast::Stmt::AlterSubscription(it) => matches!(
                it.action(),
                Some(
                    ast::AlterSubscriptionAction::AddPublication(_)
                        | ast::AlterSubscriptionAction::SetPublication(_)
                        | ast::AlterSubscriptionAction::DropSubscriptionPublication(_)
                        | ast::AlterSubscriptionAction::RefreshPublication(_)
                )
            ),
            ast::Stmt::Discard(it) => says(it.syntax(), "all"),
            _ => false,
        }
    }
}
