//! `sequence_falling_behind`: a sequence gives numbers that are taken.
//!
//! - **Finds**: numbers that are written into a column that takes its own from a sequence, and `restart` of a sequence that
//!   feeds a table that was there before, with no `setval` later in the migration
//! - **Blocks**: inserts that leave the number to the sequence: they fail with SQLSTATE 23505 until it is past what is there
//! - **Instead**: leave the column out, or move the sequence on: `select setval(…, (select max(…) from …))`
//! - **Source**: PostgreSQL wiki, "Fixing Sequences"; PostgreSQL manual, "Sequence Manipulation Functions"

use super::{Context, Findings, Lint, trees};
use crate::lower::syntax;
use crate::name::{At, QualifiedName};
use crate::operation::Operation;
use crate::schema::{Column, IdentityKind};
use crate::step::Action;
use squawk_syntax::ast::{self, AstNode};

pub(super) const LINT: Lint = Lint::of_history("sequence_falling_behind", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    if let Some((at, sequence, table)) = restarted(context) {
        if !is_moved_on(context) {
            findings
                .find(at, format!("`{sequence}` gives numbers again that `{table}` may have"))
                .instead(format!("move it past what is there: `select setval('{}', (select max(…) from {}))`", sequence.quoted(), table.quoted()));
        }
        return;
    }
    let Some(Operation::Opaque(opaque)) = context.operation() else { return };
    if opaque.kind != "insert" || is_moved_on(context) {
        return;
    }
    for tree in trees::of(context) {
        for insert in tree.all::<ast::Insert>() {
            let Some((table, column, target)) = numbered(context, &insert) else { continue };
            let call = format!("pg_get_serial_sequence('{}', '{}')", table.quoted(), column.name);
            findings
                .find(tree.at(&target), format!("the sequence of `{}` doesn't know of these numbers, and will give them again", column.name))
                .instead(format!(
                    "leave `{}` out, or add `select setval({call}, (select max({}) from {}))`",
                    column.name,
                    column.name.quoted(),
                    table.quoted()
                ));
        }
    }
}

/// Whether a later step of the migration may set the sequence.
fn is_moved_on(context: &Context<'_>) -> bool {
    context.later_steps().any(|step| match &step.action {
        Action::Run { .. } | Action::Change(Operation::AlterSequence(_) | Operation::AlterIdentity(_)) => true,
        Action::Change(Operation::Opaque(opaque)) => {
            let sql = opaque.sql.sql().to_lowercase();
            sql.contains("setval") || sql.contains("restart")
        }
        _ => false,
    })
}

/// The column whose own numbers an insert writes, with its table and the place where it is named.
fn numbered<'a>(context: &Context<'a>, insert: &ast::Insert) -> Option<(QualifiedName, &'a Column, ast::ColumnTarget)> {
    let table = syntax::path_ref(&insert.relation_name_ref()?.path_ref()?)?;
    let source = match insert.insert_source()? {
        ast::InsertSource::SelectVariant(source) => source,
        ast::InsertSource::DefaultValues(_) => return None,
    };
    let user = insert.overriding_clause().is_some_and(|clause| matches!(clause, ast::OverridingClause::OverridingUserValue(_)));
    let targets: Vec<_> = insert.column_target_list()?.column_targets().collect();
    targets.into_iter().enumerate().find_map(|(i, target)| {
        let column = context.before().column(&table, syntax::name(&target.name()?).as_str())?;
        let always = column.identity.as_ref().is_some_and(|identity| identity.kind == IdentityKind::Always);
        let by_sequence = column.default.as_ref().is_some_and(|default| !default.sequences().is_empty());
        let own = (column.identity.is_some() && !(always && user)) || by_sequence;
        (own && writes_numbers(&source, i)).then_some((table.clone(), column, target))
    })
}

/// Whether the values of the column at `i` are numbers that are written there, or another table's.
fn writes_numbers(source: &ast::SelectVariant, i: usize) -> bool {
    match source {
        ast::SelectVariant::Values(values) => values.row_list().is_some_and(|rows| {
            rows.rows().any(|row| {
                let value = row.exprs().nth(i);
                value.is_some_and(|value| matches!(&value, ast::Expr::Literal(number) if syntax::text(number.syntax()).parse::<i64>().is_ok_and(|number| number > 0)))
            })
        }),
        ast::SelectVariant::Select(select) => {
            let targets = select.select_clause().and_then(|clause| clause.target_list());
            let target = targets.and_then(|list| list.targets().nth(i)).and_then(|target| target.expr());
            matches!(target, Some(ast::Expr::NameRef(_) | ast::Expr::FieldExpr(_)))
        }
        _ => false,
    }
}

/// The sequence that the step sets back, with an older table that it feeds.
fn restarted<'a>(context: &Context<'a>) -> Option<(At, QualifiedName, &'a QualifiedName)> {
    let words = super::grants::words(context, &["alter sequence"])?;
    let restart = super::grants::find(&words, "restart")?;
    let trees = trees::of(context);
    let sequence = trees.first()?.all::<ast::AlterSequence>().next()?.sequence_ref()?.path_ref().and_then(|path| syntax::path_ref(&path))?;
    let fed = context.before().columns_fed_by(&sequence);
    let table = fed.iter().find_map(|(table, _)| context.old_table(table))?;
    Some((words[restart].at, sequence, &table.name))
}
