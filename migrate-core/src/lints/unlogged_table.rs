//! `unlogged_table`: a table is empty after a crash, and on no replica.
//!
//! - **Finds**: `create unlogged table`
//! - **Blocks**: nothing; but a crash of the server empties the table, and replicas and backups of the log don't have
//!   it
//! - **Instead**: a table that is logged, unless what is in it can be made again at any time
//! - **Source**: PostgreSQL manual, `CREATE TABLE`, `UNLOGGED`

use super::{Context, Findings, Lint};
use crate::lower::syntax;
use crate::name::At;
use crate::operation::Operation;
use squawk_syntax::ast;

pub(super) const LINT: Lint = Lint::of_statement("unlogged_table", check).warns();

fn check(context: &Context<'_>, findings: &mut Findings) {
    if let Some(Operation::CreateTable(create)) = context.operation() {
        if create.table.unlogged {
            report(findings, create.table.name.at(), &create.table.name.to_string());
        }
    } else if let Some((at, name)) = opaque(context) {
        report(findings, at, &name);
    }
}

fn opaque(context: &Context<'_>) -> Option<(At, String)> {
    let (opaque, statement) = context.statement()?;
    let (persistence, name) = match statement {
        ast::Stmt::CreateTable(it) => (it.persistence()?, it.table_name()?),
        ast::Stmt::CreateTableAs(it) => (it.persistence()?, it.table_name()?),
        _ => return None,
    };
    let table = syntax::path(&name.path()?)?.to_string();
    matches!(persistence, ast::Persistence::Unlogged(_)).then(|| (Context::at(opaque, &name), table))
}

fn report(findings: &mut Findings, at: At, table: &str) {
    findings
        .find(at, format!("after a crash `{table}` is empty, and replicas don't have it"))
        .instead("leave `unlogged` out, unless what is in the table can be made again at any time");
}
