//! `select_star_in_view`: a view has the columns that its table had that day.
//!
//! - **Finds**: `*` in the list of a view's query
//! - **Blocks**: nothing at first; columns that come later are not in the view, and none of the table's columns can be dropped
//!   or get another type while the view is there
//! - **Instead**: name the columns that the view is for
//! - **Source**: PostgreSQL manual, `CREATE VIEW`, Notes

use super::{Context, Findings, Lint, trees};
use crate::operation::Operation;
use squawk_syntax::ast::{self, AstNode};

pub(super) const LINT: Lint = Lint::of_statement("select_star_in_view", check).warns();

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::CreateView(create)) = context.operation() else { return };
    for tree in trees::of(context) {
        let star = tree.all::<ast::Target>().find(|target| is_star(target) && !is_asked_for_existence(target));
        if let Some(target) = star {
            findings
                .find(tree.at(&target), format!("`*` is written out once and for all: `{}` has no column that comes later", create.name))
                .instead("name the columns that the view is for");
        }
    }
}

fn is_star(target: &ast::Target) -> bool {
    target.star_token().is_some() || crate::lower::syntax::text(target.syntax()).ends_with(".*")
}

/// `exists (select * …)`, and what an outer query chooses from by name.
fn is_asked_for_existence(target: &ast::Target) -> bool {
    let selects = target.syntax().ancestors().filter(|node| ast::SelectClause::can_cast(node.kind()) || ast::Select::can_cast(node.kind()));
    selects.filter(|node| ast::Select::can_cast(node.kind())).count() > 1
}
