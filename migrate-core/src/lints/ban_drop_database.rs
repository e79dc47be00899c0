//! `ban_drop_database`: a database goes.
//!
//! - **Finds**: `drop database`
//! - **Blocks**: everybody who is connected to it
//! - **Instead**: leave it to the administration of the server, or acknowledge it where the database is the
//!   application's to drop
//! - **Source**: squawk `ban-drop-database`

use super::{Context, Findings, Lint};
use squawk_syntax::ast;

pub(super) const LINT: Lint = Lint::of_statement("ban_drop_database", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some((opaque, ast::Stmt::DropDatabase(statement))) = context.statement() else { return };
    let Some(database) = statement.database_ref() else { return };
    findings
        .find(Context::at(opaque, &database), "a whole database goes, and no `down` brings it back")
        .instead("leave it to the administration of the server, or say in the reason of an `#[allow]` why it may go");
}
