//! `inserting_without_column_list`: values find their columns by their order alone.
//!
//! - **Finds**: `insert` without a list of columns into a table that was there before
//! - **Blocks**: nothing; where the columns have another order, as in a database that was restored or adopted, values get into
//!   the wrong columns or the migration fails
//! - **Instead**: name the columns
//! - **Source**: PostgreSQL manual, `INSERT`: many users consider it good practice to always list the column names

use super::{Context, Findings, Lint, trees};
use crate::lower::syntax;
use crate::operation::Operation;
use squawk_syntax::ast;

pub(super) const LINT: Lint = Lint::of_statement("inserting_without_column_list", check).warns();

fn check(context: &Context<'_>, findings: &mut Findings) {
    if !matches!(context.operation(), Some(Operation::Opaque(opaque)) if matches!(opaque.kind.as_str(), "insert" | "select" | "update" | "delete")) {
        return;
    }
    for tree in trees::of(context) {
        for insert in tree.all::<ast::Insert>() {
            let named = insert.column_target_list().is_some() || matches!(insert.insert_source(), None | Some(ast::InsertSource::DefaultValues(_)));
            let Some(target) = insert.relation_name_ref().filter(|_| !named) else { continue };
            let Some(table) = target.path_ref().and_then(|path| syntax::path_ref(&path)) else { continue };
            let Some(known) = context.old_table(&table) else { continue };
            let columns = crate::name::quoted_list(known.columns.iter().filter(|column| column.generated.is_none()).map(|column| &column.name));
            findings
                .find(tree.at(&target), format!("the values find their columns in `{table}` by their order alone"))
                .instead(format!("name the columns: `insert into {} ({columns})`", table.quoted()));
        }
    }
}
