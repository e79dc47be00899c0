//! SQL text → operations, by PostgreSQL's own grammar.

mod alter_table;
mod backfill;
pub(crate) mod columns;
pub(crate) mod constraints;
pub(crate) mod data;
pub(crate) mod file;
pub(crate) mod indexes;
pub(crate) mod left;
mod objects;
pub(crate) mod relations;
pub(crate) mod roles;
pub(crate) mod routines;
pub(crate) mod rows;
pub(crate) mod syntax;
mod syntax_problem;
pub(crate) mod undo;

pub use backfill::parse_sqlite as sqlite_backfill;
pub use file::parse_file;
pub use syntax_problem::{Suggestion, SyntaxProblem};

use crate::name::{At, QualifiedName};
use crate::operation::Operation;
use crate::ops::{AttachIndex, Backfill, CreateIndex, CreateSchema, CreateTable, CreateTableAs, DropIndex, DropTable, Opaque, RenameIndex};
use squawk_syntax::SourceFile;
use squawk_syntax::ast::{self, AstNode};

/// One statement of a text.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Where it stands in the text. Positions inside of its operations count from the start of the text, too.
    pub at: At,
    /// Its text, without the final semicolon.
    pub sql: String,
    /// What it does. An `alter table` with several actions does several things.
    pub operations: Vec<Operation>,
    /// Whether it says `if exists` of the object that it works on: then the object may be unknown, and is optional.
    pub if_exists: bool,
    /// The tables whose rows it goes over: see [`Step::goes_over`](crate::step::Step::goes_over).
    pub goes_over: Vec<QualifiedName>,
}

/// Parses `sql` into statements.
///
/// # Errors
/// The places at which the grammar doesn't accept the text, one a statement.
pub fn parse(sql: &str) -> Result<Vec<Statement>, Vec<SyntaxProblem>> {
    let (text, constructs) = backfill::take_out(sql)?;
    let parsed = SourceFile::parse(&text);
    let problems = syntax_problem::problems(&parsed);
    if !problems.is_empty() {
        return Err(problems);
    }
    let statement = |statement: &ast::Stmt| {
        let start = syntax::at(statement.syntax()).range().start;
        match constructs.iter().find(|construct| construct.range.contains(&start)) {
            Some(construct) => batched(statement, construct, sql),
            None => lower(statement),
        }
    };
    Ok(statements(&parsed.tree()).iter().map(statement).collect())
}

/// A statement that is done in batches. Only an `update` and a `delete` get here.
fn batched(statement: &ast::Stmt, construct: &backfill::Construct, sql: &str) -> Statement {
    let lowered = lower(statement);
    let operations = Backfill::lower(statement, &lowered.sql, construct.batch).map(|backfill| vec![backfill.into()]);
    Statement {
        at: At::new(construct.range.clone()),
        sql: sql.get(construct.range.clone()).unwrap_or_default().to_owned(),
        operations: operations.unwrap_or(lowered.operations),
        if_exists: false,
        goes_over: Vec::new(),
    }
}

/// The table that a text names and nothing else, with its place in it.
#[must_use]
pub fn table_name(text: &str) -> Option<QualifiedName> {
    const BEFORE: &str = "drop table ";
    let sql = format!("{BEFORE}{text}");
    let parsed = SourceFile::parse(&sql);
    let parts = statements(&parsed.tree());
    let [ast::Stmt::DropTable(drop)] = parts.as_slice() else { return None };
    let mut names = drop.table_name_refs();
    let (Some(name), None, true) = (names.next(), names.next(), parsed.errors().is_empty()) else { return None };
    let mut table = syntax::table_ref(&name)?;
    let written = syntax::text(name.syntax());
    // `a cascade`, `a; select 1` are more than a name
    if written != text.trim() {
        return None;
    }
    for part in [&mut table.schema, &mut table.name] {
        let shift = |at: u32| at.saturating_sub(u32::try_from(BEFORE.len()).unwrap_or_default());
        part.at = At { start: shift(part.at.start), end: shift(part.at.end) };
    }
    Some(table)
}

/// The statements, but for those with nothing before the semicolon.
///
/// The grammar takes what follows the semicolon of an element of `create schema` for more elements, where it could be one.
fn statements(file: &SourceFile) -> Vec<ast::Stmt> {
    let with_followers = file.stmts().flat_map(|statement| {
        let followers = match &statement {
            ast::Stmt::CreateSchema(schema) => CreateSchema::elements_and_followers(schema).1,
            _ => Vec::new(),
        };
        std::iter::once(statement).chain(followers)
    });
    with_followers.filter(|statement| !matches!(statement, ast::Stmt::EmptyStmt(_))).collect()
}

fn lower(statement: &ast::Stmt) -> Statement {
    let node = statement.syntax();
    let mut at = syntax::at(node);
    let mut sql = syntax::text(node);
    if let ast::Stmt::CreateSchema(schema) = statement
        && let (elements, followers) = CreateSchema::elements_and_followers(schema)
        && let (Some(last), false) = (elements.last(), followers.is_empty())
    {
        let end = syntax::at(last.syntax()).end;
        sql.truncate((end - at.start) as usize);
        at.end = end;
    }
    let sql = sql.trim_end_matches(';').trim_end().to_owned();
    let mut if_exists = false;
    let operations = typed(statement, &mut if_exists).filter(|operations| !operations.is_empty());
    let operations = operations.unwrap_or_else(|| vec![Opaque::lower(statement, &sql).into()]);
    Statement { at, sql, operations, if_exists, goes_over: rows::gone_over(statement) }
}

/// The operations of a statement; `None`: the model has none for it.
fn typed(statement: &ast::Stmt, if_exists: &mut bool) -> Option<Vec<Operation>> {
    match statement {
        ast::Stmt::AlterIndex(it) => {
            *if_exists = it.if_exists().is_some();
            let renamed = RenameIndex::lower(it).map(|operation| vec![operation.into()]);
            renamed.or_else(|| AttachIndex::lower(it).map(|operation| vec![operation.into()]))
        }
        ast::Stmt::CreateIndex(it) => CreateIndex::lower(it).map(|operation| vec![operation.into()]),
        ast::Stmt::CreateTable(it) => CreateTable::lower(it).map(|operation| vec![operation.into()]),
        ast::Stmt::CreateTableAs(it) => CreateTableAs::lower(it).map(|operation| vec![operation.into()]),
        ast::Stmt::DropIndex(it) => {
            *if_exists = it.if_exists().is_some();
            DropIndex::lower(it)
        }
        ast::Stmt::DropTable(it) => {
            *if_exists = it.if_exists().is_some();
            DropTable::lower(it)
        }
        ast::Stmt::AlterTable(it) => {
            *if_exists = it.if_exists().is_some();
            alter_table::lower(it)
        }
        _ => objects::lower(statement, if_exists),
    }
}
