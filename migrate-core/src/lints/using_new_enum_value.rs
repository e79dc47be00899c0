//! `using_new_enum_value`: text becomes a value of an enum that isn't committed yet.
//!
//! - **Finds**: after `add value` in the same transaction, a conversion to the enum of values that aren't written there: they may
//!   be the new one. A new value that is written in a step is no danger: the migration is committed before that step
//! - **Blocks**: nothing; the migration fails with SQLSTATE 55P04 where a row has the new value, and works where none has it
//! - **Instead**: add the value in a migration before
//! - **Source**: PostgreSQL manual, `ALTER TYPE`, Notes

use super::{Context, Findings, Lint, trees};
use crate::lower::syntax;
use crate::name::{At, Name, QualifiedName, quote_literal};
use crate::effects::TransactionNeed;
use crate::operation::{Operate, Operation};
use crate::step::Action;
use squawk_syntax::ast;

pub(super) const LINT: Lint = Lint::of_history("using_new_enum_value", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(operation) = context.operation() else { return };
    let added = uncommitted(context);
    // a step that names the label comes after a commit
    let sql = operation.render().join(";");
    if added.iter().any(|(_, label)| sql.contains(&quote_literal(label.as_str()))) {
        return;
    }
    for (name, label) in added {
        let Some(at) = conversion(context, operation, name) else { continue };
        findings
            .find(at, format!("a value that becomes `{label}` here is a new one of `{name}`, and not committed yet"))
            .instead(format!("add `{label}` to `{name}` in a migration before this one"));
        return;
    }
}

/// The values that earlier steps of the transaction have added, each with its enum. The engine commits them before a step
/// that names one of them, or that runs Rust code.
fn uncommitted<'a>(context: &Context<'a>) -> Vec<(&'a QualifiedName, &'a Name)> {
    let mut added: Vec<(&QualifiedName, &Name)> = Vec::new();
    for step in context.earlier_steps() {
        match &step.action {
            Action::Change(Operation::AddEnumValue(add)) if context.start().enums.contains_key(&add.name) => {
                added.push((&add.name, &add.label));
            }
            Action::Change(_) if added.is_empty() => {}
            Action::Change(operation) => {
                let outside = operation.effects(context.before()).transaction == TransactionNeed::Outside;
                let sql = operation.render().join(";");
                if outside || added.iter().any(|(_, label)| sql.contains(&quote_literal(label.as_str()))) {
                    added.clear();
                }
            }
            Action::Run { .. } => added.clear(),
            Action::Declare { .. } | Action::Assert { .. } => {}
        }
    }
    added
}

/// Where the step makes values of the enum out of others.
fn conversion(context: &Context<'_>, operation: &Operation, name: &QualifiedName) -> Option<At> {
    if let Operation::AlterColumnType(alter) = operation {
        let before = &context.before().column(&alter.table, alter.column.as_str())?.data_type;
        return (alter.data_type.named() == Some(name) && before.named() != Some(name)).then(|| super::columns::at(&alter.column, &alter.data_type));
    }
    let Operation::Opaque(_) = operation else { return None };
    trees::of(context).iter().find_map(|tree| {
        let mut casts = tree.all::<ast::CastExpr>();
        let cast = casts.find(|cast| {
            let to = cast.ty().and_then(|data_type| syntax::data_type(&data_type));
            let written = matches!(cast.expr(), None | Some(ast::Expr::Literal(_)));
            !written && to.is_some_and(|to| to.named() == Some(name))
        })?;
        Some(tree.at(&cast))
    })
}
