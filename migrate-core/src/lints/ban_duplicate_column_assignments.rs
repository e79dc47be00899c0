//! `ban_duplicate_column_assignments`: a statement gives a column two values, which PostgreSQL refuses when it runs.
//!
//! - **Finds**: `update … set` and `insert` that name a column twice
//! - **Blocks**: nothing: the migration fails there
//! - **Instead**: name each column once
//! - **Source**: squawk `ban-duplicate-column-assignments`; PostgreSQL: "multiple assignments to same column"

use super::{Context, Findings, Lint};
use crate::lower::syntax;
use squawk_syntax::ast::{self, AstNode};
use std::collections::BTreeSet;

pub(super) const LINT: Lint = Lint::of_statement("ban_duplicate_column_assignments", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some((opaque, statement)) = context.statement() else { return };
    let assignments = statement.syntax().descendants().filter_map(|node| {
        if let Some(list) = ast::SetColumnList::cast(node.clone()) {
            return Some(list.set_columns().flat_map(|set| targets(&set)).collect());
        }
        let of_insert = ast::Insert::cast(node.clone()).and_then(|insert| insert.column_target_list());
        let list = of_insert.or_else(|| ast::MergeInsert::cast(node)?.column_target_list())?;
        Some(list.column_targets().collect::<Vec<_>>())
    });
    for targets in assignments {
        let mut seen = BTreeSet::new();
        // parts of one array or one composite value may be set one by one
        for column in targets.iter().filter(|target| target.accessors().next().is_none()).filter_map(ast::ColumnTarget::name) {
            let name = syntax::name(&column);
            if !seen.insert(name.clone()) {
                findings
                    .find(Context::at(opaque, &column), format!("`{name}` has a value already"))
                    .note("PostgreSQL refuses the statement when it runs")
                    .instead(format!("name `{name}` once"));
            }
        }
    }
}

fn targets(set: &ast::SetColumn) -> Vec<ast::ColumnTarget> {
    match set {
        ast::SetColumn::SetSingleColumn(it) => it.column_target().into_iter().collect(),
        ast::SetColumn::SetMultipleColumns(it) => it.column_target_list().into_iter().flat_map(|list| list.column_targets().collect::<Vec<_>>()).collect(),
    }
}
