//! `not_in_subquery`: one null is enough, and no row is found.
//!
//! - **Finds**: `not in (select …)` of a column of a table that may be null
//! - **Blocks**: nothing; where the subquery gives a null, `not in` is true for no row at all, and it can't use an index
//! - **Instead**: `not exists (select … where …)`
//! - **Source**: PostgreSQL wiki, "Don't Do This", "Don't use NOT IN"

use super::{Context, Findings, Lint, trees};
use crate::lower::{relations, syntax};
use squawk_syntax::ast::{self, AstNode, BinOp};

pub(super) const LINT: Lint = Lint::of_statement("not_in_subquery", check).warns();

fn check(context: &Context<'_>, findings: &mut Findings) {
    for tree in trees::of(context) {
        for both in tree.all::<ast::BinExpr>().filter(|both| matches!(both.op(), Some(BinOp::NotIn(_)))) {
            let Some(right) = both.rhs() else { continue };
            let Some(select) = right.syntax().descendants().find_map(ast::Select::cast) else { continue };
            if may_be_null(context, &select) {
                findings
                    .find(tree.at(&both), "where the subquery gives a null, this is true for no row at all")
                    .instead("write `not exists (select … where …)`");
            }
        }
    }
}

/// Whether it selects a single column that isn't `not null`, from a single table. What another query of the statement
/// selects is known to nobody.
fn may_be_null(context: &Context<'_>, select: &ast::Select) -> bool {
    let targets = select.select_clause().and_then(|clause| clause.target_list());
    let mut targets = targets.iter().flat_map(|list| list.targets().collect::<Vec<_>>());
    let (Some(target), None) = (targets.next(), targets.next()) else { return false };
    let Some(column) = target.expr().as_ref().and_then(trees::column_of) else { return false };
    let excluded = select.where_clause().is_some_and(|clause| {
        let words = syntax::spelt(clause.syntax());
        words.contains(&format!("{column} is not null"))
    });
    let mut tables = select.from_clause().into_iter().flat_map(|from| relations::read_by(from.syntax()).collect::<Vec<_>>());
    let (Some(table), None) = (tables.next(), tables.next()) else { return false };
    !excluded && context.before().column(&table, &column).is_some_and(|column| !column.not_null)
}
