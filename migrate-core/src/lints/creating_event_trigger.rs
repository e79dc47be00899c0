//! `creating_event_trigger`: a function runs at every change of the schema, the migrations' own included.
//!
//! - **Finds**: `create event trigger`
//! - **Blocks**: nothing by itself; but an error in the function stops every later migration, and it takes a
//!   superuser to create one
//! - **Instead**: leave it to the administration of the database; where it is part of the application, acknowledge
//!   that
//! - **Source**: PostgreSQL manual, "Event Triggers"

use super::{Context, Findings, Lint};
use squawk_syntax::ast;

pub(super) const LINT: Lint = Lint::of_statement("creating_event_trigger", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some((opaque, ast::Stmt::CreateEventTrigger(statement))) = context.statement() else { return };
    let Some(name) = statement.event_trigger() else { return };
    findings
        .find(Context::at(opaque, &name), "it fires at changes of the schema of the whole database, those of later migrations included")
        .instead("leave it to the administration of the database, or say in the reason of an `#[allow]` why it is the application's");
}
