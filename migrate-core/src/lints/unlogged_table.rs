//! `unlogged_table`: a table is empty after a crash, and on no replica.
//!
//! - **Finds**: `create unlogged table`
//! - **Blocks**: nothing; but a crash of the server empties the table, and replicas and backups of the log don't have
//!   it
//! - **Instead**: a table that is logged, unless what is in it can be made again at any time
//! - **Source**: PostgreSQL manual, `CREATE TABLE`, `UNLOGGED`

use super::{Context, Findings, Lint};
use crate::operation::Operation;

pub(super) const LINT: Lint = Lint::of_statement("unlogged_table", check).warns();

fn check(context: &Context<'_>, findings: &mut Findings) {
    let table = match context.operation() {
        Some(Operation::CreateTable(create)) => &create.table,
        Some(Operation::CreateTableAs(create)) => &create.table,
        _ => return,
    };
    if table.unlogged {
        findings
            .find(table.name.at(), format!("after a crash `{}` is empty, and replicas don't have it", table.name))
            .instead("leave `unlogged` out, unless what is in the table can be made again at any time");
    }
}
