//! What statements do with rows.

use super::{Context, trees};
use crate::lower::rows::{conjuncts, names_values};
use crate::lower::{relations, syntax};
use crate::name::{At, Name, QualifiedName};
use crate::operation::{Operate, Operation};
use crate::ops::Opaque;
use crate::schema::ObjectKey;
use crate::step::Action;
use squawk_syntax::ast::{self, AstNode, BinOp};

/// Whether an earlier step of the migration may have written rows of the table, or read them to keep them elsewhere.
pub(super) fn is_after_data(context: &Context<'_>, table: &QualifiedName) -> bool {
    context.earlier_steps().any(|step| match &step.action {
        Action::Run { .. } => true,
        Action::Change(operation) => handles_rows(operation, table),
        Action::Declare { .. } | Action::Assert { .. } => false,
    })
}

/// Whether an earlier step of the migration deleted all rows of the table, and none has written any since.
pub(super) fn is_emptied(context: &Context<'_>, table: &QualifiedName) -> bool {
    for step in context.earlier_steps().rev() {
        match &step.action {
            Action::Run { .. } => return false,
            Action::Change(Operation::Opaque(opaque)) if empties(opaque, table) => return true,
            Action::Change(operation) if handles_rows(operation, table) => return false,
            Action::Change(_) | Action::Declare { .. } | Action::Assert { .. } => {}
        }
    }
    false
}

/// `truncate` of it, or `delete from` it without a condition.
fn empties(opaque: &Opaque, table: &QualifiedName) -> bool {
    if !matches!(opaque.kind.as_str(), "truncate" | "delete") {
        return false;
    }
    match trees::of_opaque(opaque).and_then(|tree| tree.all::<ast::Stmt>().next()) {
        Some(ast::Stmt::Truncate(statement)) => {
            let names = statement.table_list().into_iter().flat_map(|list| list.table_relation_names().collect::<Vec<_>>());
            names.filter_map(|name| syntax::table_ref(&name.table_name_ref()?)).any(|name| name == *table)
        }
        Some(ast::Stmt::Delete(statement)) => {
            let name = statement.relation_name().and_then(|name| name.relation_name_ref()?.path_ref());
            let all = match statement.where_clause_or_current_of() {
                None => true,
                Some(ast::WhereClauseOrCurrentOf::WhereClause(clause)) => {
                    matches!(clause.expr(), Some(ast::Expr::Literal(literal)) if syntax::text(literal.syntax()).eq_ignore_ascii_case("true"))
                }
                Some(ast::WhereClauseOrCurrentOf::WhereCurrentOf(_)) => false,
            };
            // `using` leaves rows that nothing fits
            let joined = statement.using_clause().is_some();
            all && !joined && name.and_then(|name| syntax::path_ref(&name)).is_some_and(|name| name == *table)
        }
        _ => false,
    }
}

fn handles_rows(operation: &Operation, table: &QualifiedName) -> bool {
    if let Operation::CreateTableAs(create) = operation {
        return !create.without_data && create.relations.contains(table);
    }
    if let Operation::Backfill(backfill) = operation {
        return backfill.function().is_some() || backfill.statement.relations.contains(table);
    }
    let Operation::Opaque(opaque) = operation else { return false };
    let names = opaque.relations.contains(table) || operation.requires().contains(&ObjectKey::Table(table.clone()));
    // what a block or a function does is in a string
    is_hidden(opaque) || (names && !opaque.kind.starts_with("alter "))
}

/// Whether it may do anything at all, and its text doesn't tell.
fn is_hidden(opaque: &Opaque) -> bool {
    matches!(opaque.kind.as_str(), "do" | "call" | "execute" | "select")
}

/// Whether the statement itself writes rows of the table.
pub(super) fn writes_to(opaque: &Opaque, table: &QualifiedName) -> bool {
    let Some(tree) = trees::of_opaque(opaque).filter(|_| matches!(opaque.kind.as_str(), "update" | "delete" | "insert" | "select")) else {
        return false;
    };
    let named = |path: Option<ast::PathRef>| path.and_then(|path| syntax::path_ref(&path)).is_some_and(|name| name == *table);
    let target = |name: Option<ast::RelationName>| named(name.and_then(|name| name.relation_name_ref()?.path_ref()));
    let inserts = tree.all::<ast::Insert>().any(|insert| named(insert.relation_name_ref().and_then(|name| name.path_ref())));
    let updates = tree.all::<ast::Update>().any(|update| target(update.relation_name()));
    inserts || updates || tree.all::<ast::Delete>().any(|delete| target(delete.relation_name()))
}

/// A part of a statement that writes rows of a table.
pub(super) struct Write {
    /// The table.
    pub(super) table: QualifiedName,
    /// Where it is named.
    pub(super) at: At,
    /// `update`, `delete` or `insert`.
    pub(super) verb: &'static str,
    /// The columns that an update sets.
    pub(super) columns: Vec<Name>,
    /// Which rows.
    pub(super) rows: Rows,
}

/// Which rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rows {
    /// All: nothing says which.
    Unsaid,
    /// All: what says which holds for each of them.
    All,
    /// Those with values that are written there.
    Few,
    /// Nobody can tell.
    Some,
}

/// Everything that a step writes, as far as its text tells.
pub(super) fn writes(context: &Context<'_>) -> Vec<Write> {
    if let Some(Operation::CreateTableAs(create)) = context.operation() {
        let table = create.table.name.clone();
        let reads_old = !create.without_data && create.relations.iter().any(|table| context.old_table(table).is_some());
        let rows = if reads_old { Rows::Some } else { Rows::Few };
        return vec![Write { at: table.at(), table, verb: "insert", columns: Vec::new(), rows }];
    }
    let Some(Operation::Opaque(opaque)) = context.operation() else { return Vec::new() };
    if !matches!(opaque.kind.as_str(), "update" | "delete" | "insert" | "select") {
        return Vec::new();
    }
    let trees = trees::of(context);
    let Some(tree) = trees.first() else { return Vec::new() };
    let updates = tree.all::<ast::Update>().filter_map(|update| {
        let name = update.relation_name()?.relation_name_ref()?;
        let (table, columns) = (syntax::path_ref(&name.path_ref()?)?, set_columns(&update));
        let rows = rows(context, &table, update.where_clause_or_current_of());
        Some(Write { table, at: tree.at(&name), verb: "update", columns, rows })
    });
    let deletes = tree.all::<ast::Delete>().filter_map(|delete| {
        let name = delete.relation_name()?.relation_name_ref()?;
        let table = syntax::path_ref(&name.path_ref()?)?;
        let rows = rows(context, &table, delete.where_clause_or_current_of());
        Some(Write { table, at: tree.at(&name), verb: "delete", columns: Vec::new(), rows })
    });
    let inserts = tree.all::<ast::Insert>().filter_map(|insert| {
        let name = insert.relation_name_ref()?;
        let source = insert.insert_source()?;
        let mut read = relations::read_by(source.syntax());
        let rows = if read.any(|table| context.old_table(&table).is_some()) { Rows::Some } else { Rows::Few };
        Some(Write { table: syntax::path_ref(&name.path_ref()?)?, at: tree.at(&name), verb: "insert", columns: Vec::new(), rows })
    });
    updates.chain(deletes).chain(inserts).collect()
}

/// What is written of all rows while nothing says which are meant, in batches or not.
pub(super) fn unsaid(context: &Context<'_>, verb: &str) -> Vec<Write> {
    let batched = match context.operation() {
        Some(Operation::Backfill(backfill))
            if backfill.statement.kind == verb && backfill.whole().as_deref() == Some(backfill.statement.sql.sql()) =>
        {
            let (table, columns) = (backfill.table.clone(), backfill.sets.clone());
            Some(Write { at: table.at(), table, verb: if verb == "delete" { "delete" } else { "update" }, columns, rows: Rows::Unsaid })
        }
        _ => None,
    };
    writes(context).into_iter().filter(|write| write.verb == verb && write.rows == Rows::Unsaid).chain(batched).collect()
}

fn set_columns(update: &ast::Update) -> Vec<Name> {
    let list = update.set_clause().and_then(|set| set.set_column_list());
    let columns = list.iter().flat_map(|list| list.set_columns().collect::<Vec<_>>()).flat_map(|set| match set {
        ast::SetColumn::SetSingleColumn(one) => one.column_target().into_iter().collect(),
        ast::SetColumn::SetMultipleColumns(several) => {
            several.column_target_list().iter().flat_map(|list| list.column_targets().collect::<Vec<_>>()).collect::<Vec<_>>()
        }
    });
    columns.filter_map(|column| Some(syntax::name(&column.name()?))).collect()
}

fn rows(context: &Context<'_>, table: &QualifiedName, condition: Option<ast::WhereClauseOrCurrentOf>) -> Rows {
    let condition = match condition {
        None => return Rows::Unsaid,
        Some(ast::WhereClauseOrCurrentOf::WhereCurrentOf(_)) => return Rows::Few,
        Some(ast::WhereClauseOrCurrentOf::WhereClause(clause)) => clause.expr(),
    };
    let Some(condition) = condition else { return Rows::Some };
    let parts = conjuncts(condition);
    if parts.iter().all(|part| holds_always(context, table, part)) {
        Rows::All
    } else if parts.iter().any(names_values) {
        Rows::Few
    } else {
        Rows::Some
    }
}

/// `true`, `1 = 1`, or `a is null` of a column that came with this migration and without a default.
fn holds_always(context: &Context<'_>, table: &QualifiedName, part: &ast::Expr) -> bool {
    let literal = |expression: Option<ast::Expr>| match expression {
        Some(ast::Expr::Literal(literal)) => Some(syntax::text(literal.syntax())),
        _ => None,
    };
    match part {
        ast::Expr::Literal(literal) => syntax::text(literal.syntax()).eq_ignore_ascii_case("true"),
        ast::Expr::BinExpr(both) => match both.op() {
            Some(BinOp::Eq(_)) => literal(both.lhs()).is_some_and(|left| Some(left) == literal(both.rhs())),
            Some(BinOp::Is(_)) => {
                let column = both.lhs().as_ref().and_then(trees::column_of);
                both.rhs().as_ref().is_some_and(trees::is_null) && column.is_some_and(|column| is_still_null(context, table, &column))
            }
            _ => false,
        },
        _ => false,
    }
}

fn is_still_null(context: &Context<'_>, table: &QualifiedName, column: &str) -> bool {
    let added = context.earlier().any(|(operation, _)| match operation {
        Operation::AddColumn(add) => add.table == *table && add.column.name == *column && add.column.default.is_none(),
        _ => false,
    });
    added && context.start().column(table, column).is_none() && !is_after_data(context, table)
}
