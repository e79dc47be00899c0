//! `ban_truncate_cascade`: all rows of tables go that the statement doesn't name.
//!
//! - **Finds**: `truncate … cascade` of a table that others refer to
//! - **Blocks**: reads and writes of all those tables until the migration commits; and no `down` brings the rows back
//! - **Instead**: name every table that is to be emptied, and leave `cascade` out
//! - **Source**: PostgreSQL manual, `TRUNCATE`, `CASCADE`; squawk `ban-truncate-cascade`

use super::{Context, Findings, Lint};
use crate::lower::syntax;
use crate::name::QualifiedName;
use squawk_syntax::ast;

pub(super) const LINT: Lint = Lint::of_statement("ban_truncate_cascade", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some((opaque, ast::Stmt::Truncate(statement))) = context.statement() else { return };
    let Some(ast::DropBehavior::Cascade(cascade)) = statement.drop_behavior() else { return };
    let list = statement.table_list().into_iter().flat_map(|list| list.table_relation_names().collect::<Vec<_>>());
    let named: Vec<_> = list.filter_map(|node| syntax::table_ref(&node.table_name_ref()?)).collect();
    let mut emptied = named.clone();
    let mut seen = 0;
    while let Some(table) = emptied.get(seen).cloned() {
        let referring = context.before().foreign_keys_to_table(&table).into_iter().map(|(referring, _)| referring);
        let further: Vec<QualifiedName> = referring.filter(|table| !emptied.contains(table)).collect();
        emptied.extend(further);
        seen += 1;
    }
    emptied.retain(|table| !named.contains(table) && !context.is_new_table(table));
    emptied.dedup();
    if emptied.is_empty() {
        return;
    }
    let tables = emptied.iter().map(|table| format!("`{table}`")).collect::<Vec<_>>().join(", ");
    findings
        .find(Context::at(opaque, &cascade), format!("all rows of {tables} go, too"))
        .note("they refer to what is emptied, and no `down` brings them back")
        .instead("name every table that is to be emptied, and leave `cascade` out");
}
