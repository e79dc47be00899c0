//! Statements on everything that isn't a table.

use super::syntax;
use crate::operation::Operation;
use crate::ops::{
    AddEnumValue, AlterComposite, AlterDomain, AlterOwner, AlterPolicy, AlterRoutine, AlterSequence, CommentOn, CreateComposite,
    CreateDomain, CreateEnum, CreateExtension, CreatePolicy, CreateRoutine, CreateSchema, CreateSequence, CreateTrigger, CreateView,
    DropExtension, DropPolicy, DropRoutine, DropSchema, DropSequence, DropTrigger, DropType, DropView, Grant, RenameEnumValue,
    RenameRoutine, RenameSchema, RenameSequence, RenameTrigger, RenameType, RenameView, Revoke, RoutineReference, SetRoutineSchema,
    SetTypeSchema,
};
use crate::schema::ObjectKey;
use squawk_syntax::ast;

/// The operations of a statement; `None`: the model has none for it.
pub(super) fn lower(statement: &ast::Stmt, if_exists: &mut bool) -> Option<Vec<Operation>> {
    Some(match statement {
        ast::Stmt::AlterDomain(it) => vec![AlterDomain::lower(it)?],
        ast::Stmt::AlterFunction(it) => {
            let routine = RoutineReference::lower_function(&it.function_sig()?)?;
            match it.action()? {
                ast::AlterFunctionAction::FuncOptionList(options) => vec![AlterRoutine::lower(routine, &options)?.into()],
                ast::AlterFunctionAction::FunctionRenameTo(to) => {
                    vec![RenameRoutine::lower(routine, &to.function_name()?.path()?)?.into()]
                }
                ast::AlterFunctionAction::SetSchema(to) => vec![SetRoutineSchema::lower(routine, &to)?.into()],
                _ => return None,
            }
        }
        ast::Stmt::AlterProcedure(it) => {
            let routine = RoutineReference::lower_procedure(&it.procedure_sig()?)?;
            match it.action()? {
                ast::AlterProcedureAction::FuncOptionList(options) => vec![AlterRoutine::lower(routine, &options)?.into()],
                ast::AlterProcedureAction::ProcedureRenameTo(to) => {
                    vec![RenameRoutine::lower(routine, &to.procedure_name()?.path()?)?.into()]
                }
                ast::AlterProcedureAction::SetSchema(to) => vec![SetRoutineSchema::lower(routine, &to)?.into()],
                _ => return None,
            }
        }
        ast::Stmt::AlterRoutine(it) => {
            let routine = RoutineReference::lower_routine(&it.routine_sig()?)?;
            match it.action()? {
                ast::AlterRoutineAction::FuncOptionList(options) => vec![AlterRoutine::lower(routine, &options)?.into()],
                ast::AlterRoutineAction::RoutineRenameTo(to) => {
                    vec![RenameRoutine::lower(routine, &to.routine_name()?.path()?)?.into()]
                }
                ast::AlterRoutineAction::SetSchema(to) => vec![SetRoutineSchema::lower(routine, &to)?.into()],
                _ => return None,
            }
        }
        ast::Stmt::AlterMaterializedView(it) => {
            *if_exists = it.if_exists().is_some();
            let mut actions = it.action();
            match (actions.next()?, actions.next()) {
                (ast::AlterMaterializedViewAction::AlterTableAction(ast::AlterTableAction::OwnerTo(owner)), None) => {
                    vec![AlterOwner::lower(ObjectKey::View(syntax::path_ref(&it.view_ref()?.path_ref()?)?), &owner)?.into()]
                }
                (ast::AlterMaterializedViewAction::ViewRenameTo(to), None) => vec![RenameView::lower(&it.view_ref()?, &to, true)?.into()],
                _ => return None,
            }
        }
        ast::Stmt::AlterPolicy(it) => vec![AlterPolicy::lower(it)?],
        ast::Stmt::AlterSchema(it) => match it.action()? {
            ast::AlterSchemaAction::OwnerTo(owner) => {
                vec![AlterOwner::lower(ObjectKey::Schema(syntax::name(&it.schema_ref()?)), &owner)?.into()]
            }
            ast::AlterSchemaAction::SchemaRenameTo(to) => vec![RenameSchema::lower(it, &to)?.into()],
        },
        ast::Stmt::AlterSequence(it) => {
            *if_exists = it.if_exists().is_some();
            return alter_sequence(it);
        }
        ast::Stmt::AlterTrigger(it) => vec![RenameTrigger::lower(it)?.into()],
        ast::Stmt::AlterType(it) => {
            let name = syntax::path_ref(&it.type_name_ref()?.path_ref()?)?;
            match it.action()? {
                ast::AlterTypeAction::AlterTypeAttributeActionList(actions) => return AlterComposite::lower(&name, &actions),
                ast::AlterTypeAction::OwnerTo(owner) => vec![AlterOwner::lower(ObjectKey::Type(name), &owner)?.into()],
                ast::AlterTypeAction::RenameAttribute(action) => vec![AlterComposite::lower_rename(&name, &action)?.into()],
                ast::AlterTypeAction::SetSchema(action) => vec![SetTypeSchema::lower(&name, &action)?.into()],
                ast::AlterTypeAction::AddValue(action) => vec![AddEnumValue::lower(&name, &action)?.into()],
                ast::AlterTypeAction::RenameValue(action) => vec![RenameEnumValue::lower(&name, &action)?.into()],
                ast::AlterTypeAction::TypeRenameTo(action) => vec![RenameType::lower(&name, &action)?.into()],
                ast::AlterTypeAction::SetOptions(_) => return None,
            }
        }
        ast::Stmt::AlterView(it) => {
            *if_exists = it.if_exists().is_some();
            match it.action()? {
                ast::AlterViewAction::OwnerTo(owner) => {
                    vec![AlterOwner::lower(ObjectKey::View(syntax::path_ref(&it.view_ref()?.path_ref()?)?), &owner)?.into()]
                }
                ast::AlterViewAction::ViewRenameTo(to) => vec![RenameView::lower(&it.view_ref()?, &to, false)?.into()],
                _ => return None,
            }
        }
        ast::Stmt::CommentOn(it) => vec![CommentOn::lower(it)?.into()],
        ast::Stmt::CreateDomain(it) => vec![CreateDomain::lower(it)?.into()],
        ast::Stmt::CreateExtension(it) => vec![CreateExtension::lower(it)?.into()],
        ast::Stmt::CreateFunction(it) => vec![CreateRoutine::lower_function(it)?.into()],
        ast::Stmt::CreateMaterializedView(it) => vec![CreateView::lower_materialized(it)?.into()],
        ast::Stmt::CreatePolicy(it) => vec![CreatePolicy::lower(it)?.into()],
        ast::Stmt::CreateProcedure(it) => vec![CreateRoutine::lower_procedure(it)?.into()],
        ast::Stmt::CreateSchema(it) => vec![CreateSchema::lower(it)?.into()],
        ast::Stmt::CreateSequence(it) => vec![CreateSequence::lower(it)?.into()],
        ast::Stmt::CreateTrigger(it) => vec![CreateTrigger::lower(it)?.into()],
        ast::Stmt::CreateType(it) => match CreateEnum::lower(it) {
            Some(operation) => vec![operation.into()],
            None => vec![CreateComposite::lower(it)?.into()],
        },
        ast::Stmt::CreateView(it) => vec![CreateView::lower(it)?.into()],
        ast::Stmt::DropDomain(it) => {
            *if_exists = it.if_exists().is_some();
            DropType::lower_domain(it)?
        }
        ast::Stmt::DropExtension(it) => {
            *if_exists = it.if_exists().is_some();
            DropExtension::lower(it)
        }
        ast::Stmt::DropFunction(it) => {
            *if_exists = it.if_exists().is_some();
            DropRoutine::lower_functions(it)?
        }
        ast::Stmt::DropMaterializedView(it) => {
            *if_exists = it.if_exists().is_some();
            DropView::lower_materialized(it)?
        }
        ast::Stmt::DropPolicy(it) => {
            *if_exists = it.if_exists().is_some();
            vec![DropPolicy::lower(it)?.into()]
        }
        ast::Stmt::DropProcedure(it) => {
            *if_exists = it.if_exists().is_some();
            DropRoutine::lower_procedures(it)?
        }
        ast::Stmt::DropRoutine(it) => {
            *if_exists = it.if_exists().is_some();
            DropRoutine::lower_routines(it)?
        }
        ast::Stmt::DropSchema(it) => {
            *if_exists = it.if_exists().is_some();
            DropSchema::lower(it)
        }
        ast::Stmt::DropSequence(it) => {
            *if_exists = it.if_exists().is_some();
            DropSequence::lower(it)?
        }
        ast::Stmt::DropTrigger(it) => {
            *if_exists = it.if_exists().is_some();
            vec![DropTrigger::lower(it)?.into()]
        }
        ast::Stmt::DropType(it) => {
            *if_exists = it.if_exists().is_some();
            DropType::lower(it)?
        }
        ast::Stmt::DropView(it) => {
            *if_exists = it.if_exists().is_some();
            DropView::lower(it)?
        }
        ast::Stmt::Grant(it) => Grant::lower(it)?,
        ast::Stmt::Revoke(it) => Revoke::lower(it)?,
        _ => return None,
    })
}

fn alter_sequence(statement: &ast::AlterSequence) -> Option<Vec<Operation>> {
    let name = syntax::path_ref(&statement.sequence_ref()?.path_ref()?)?;
    let mut actions = statement.actions();
    match (actions.next(), actions.next()) {
        (Some(ast::AlterSequenceAction::SequenceRenameTo(to)), None) => return Some(vec![RenameSequence::lower(&name, &to)?.into()]),
        (Some(ast::AlterSequenceAction::OwnerTo(owner)), None) => {
            return Some(vec![AlterOwner::lower(ObjectKey::Sequence(name), &owner)?.into()]);
        }
        _ => {}
    }
    Some(vec![AlterSequence::lower(&name, statement)?.into()])
}
