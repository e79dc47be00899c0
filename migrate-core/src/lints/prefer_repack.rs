//! `prefer_repack`: a table is written anew, to make it smaller or to sort it, while nobody can read or write.
//!
//! - **Finds**: `vacuum full` and `cluster`
//! - **Blocks**: reads and writes of the table, while every row and every index is written anew
//! - **Instead**: `vacuum` gives the space of dead rows to new ones without blocking anybody; `pg_repack` makes the
//!   file smaller, from outside of migrations
//! - **Source**: PostgreSQL manual, "Recovering Disk Space"; squawk `prefer-repack`

use super::{Context, Findings, Lint, Work};
use crate::effects::LockMode;
use crate::lower::syntax;
use crate::name::{At, QualifiedName};
use squawk_syntax::ast;

pub(super) const LINT: Lint = Lint::of_statement("prefer_repack", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some((opaque, statement)) = context.statement() else { return };
    match &statement {
        ast::Stmt::Vacuum(vacuum) if vacuum.is_full() => {
            let list = vacuum.table_and_columns_list();
            let tables: Vec<_> = list.iter().flat_map(|list| list.table_and_columnss().collect::<Vec<_>>()).collect();
            for table in &tables {
                let Some(name) = table.table_relation_name().and_then(|name| name.table_name_ref()) else { continue };
                report(context, findings, syntax::table_ref(&name), Context::at(opaque, &name));
            }
            if tables.is_empty() {
                report(context, findings, None, opaque.sql.at);
            }
        }
        ast::Stmt::Cluster(cluster) => {
            let legacy = cluster.cluster_legacy().and_then(|legacy| legacy.on_path()?.table_name_ref());
            let name = cluster.table_name_ref().or(legacy);
            let at = name.as_ref().map_or(opaque.sql.at, |name| Context::at(opaque, name));
            report(context, findings, name.and_then(|name| syntax::table_ref(&name)), at);
        }
        _ => {}
    }
}

fn report(context: &Context<'_>, findings: &mut Findings, table: Option<QualifiedName>, at: At) {
    let message = match &table {
        Some(table) if context.is_new_table(table) => return,
        Some(table) => format!("every row of `{table}` is written anew while nobody can read it"),
        None => "every table is written anew while nobody can read it".to_owned(),
    };
    findings
        .find(at, message)
        .maybe_note(table.and_then(|table| context.waits(&table, LockMode::AccessExclusive, Work::Rewrites)))
        .instead("write `vacuum` alone, or run `pg_repack` from outside of migrations");
}
