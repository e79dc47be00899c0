//! `comparing_with_null`: a comparison that is never true.
//!
//! - **Finds**: `= null`, `<> null` and `!= null` in a statement, a view, a check, a predicate or a conversion
//! - **Blocks**: nothing; a `where` finds no row, and a check constraint lets every row pass
//! - **Instead**: `is null`, `is not null`
//! - **Source**: PostgreSQL manual, "Comparison Functions and Operators": do not write `expression = NULL`

use super::{Context, Findings, Lint, trees};
use squawk_syntax::ast::{self, BinOp};

pub(super) const LINT: Lint = Lint::of_statement("comparing_with_null", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    for tree in trees::of(context) {
        for both in tree.all::<ast::BinExpr>() {
            let is = match both.op() {
                Some(BinOp::Eq(_)) => "is null",
                Some(BinOp::Neq(_) | BinOp::Neqb(_)) => "is not null",
                _ => continue,
            };
            let null = [both.lhs(), both.rhs()].into_iter().flatten().any(|side| trees::is_null(&side));
            if null {
                findings.find(tree.at(&both), "a comparison with null is never true").instead(format!("write `{is}`"));
            }
        }
    }
}
