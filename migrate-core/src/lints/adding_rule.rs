//! `adding_rule`: a rule rewrites queries before they run, in ways that hardly anybody foresees.
//!
//! - **Finds**: `create rule`
//! - **Blocks**: reads and writes of the table until the migration commits; afterwards a query may do something else
//!   than it says, and volatile functions run more than once
//! - **Instead**: a trigger, or an `instead of` trigger of a view
//! - **Source**: PostgreSQL wiki, "Don't Do This", "Don't use rules"; PostgreSQL manual, "Rules Versus Triggers"

use super::{Context, Findings, Lint, Work};
use crate::effects::LockMode;
use crate::lower::syntax;
use squawk_syntax::ast;

pub(super) const LINT: Lint = Lint::of_statement("adding_rule", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some((opaque, ast::Stmt::CreateRule(statement))) = context.statement() else { return };
    let Some(name) = statement.rule() else { return };
    let table = statement.rule_on().and_then(|on| on.relation_name_ref()).and_then(|name| syntax::path_ref(&name.path_ref()?));
    let old = table.filter(|table| !context.is_new_table(table));
    findings
        .find(Context::at(opaque, &name), "a rule rewrites queries before they run, and may run what they call more than once")
        .maybe_note(old.and_then(|table| context.waits(&table, LockMode::AccessExclusive, Work::None)))
        .instead("create a trigger, which sees each row as it is");
}
