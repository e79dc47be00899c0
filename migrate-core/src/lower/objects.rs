//! Statements on everything that isn't a table.

use super::syntax;
use crate::operation::Operation;
use crate::ops::{
    AddEnumValue, AlterComposite, AlterDomain, AlterOwner, AlterPolicy, AlterSequence, CommentOn, CreateComposite, CreateDomain,
    CreateEnum, CreateExtension, CreatePolicy, CreateSchema, CreateSequence, CreateTrigger, CreateView, DropExtension, DropPolicy,
    DropSchema, DropSequence, DropTrigger, DropType, DropView, Grant, RenameEnumValue, RenameSequence, RenameTrigger, RenameType,
    RenameView, Revoke, SetTypeSchema,
};
use crate::schema::ObjectKey;
use squawk_syntax::ast;

/// The operations of a statement; `None`: the model has none for it.
pub(super) fn lower(statement: &ast::Stmt, if_exists: &mut bool) -> Option<Vec<Operation>> {
    Some(match statement {
        ast::Stmt::AlterDomain(it) => vec![AlterDomain::lower(it)?],
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
            ast::AlterSchemaAction::SchemaRenameTo(_) => return None,
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
                _ => return None,
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
        ast::Stmt::CreateMaterializedView(it) => vec![CreateView::lower_materialized(it)?.into()],
        ast::Stmt::CreatePolicy(it) => vec![CreatePolicy::lower(it)?.into()],
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
        ast::Stmt::DropMaterializedView(it) => {
            *if_exists = it.if_exists().is_some();
            DropView::lower_materialized(it)?
        }
        ast::Stmt::DropPolicy(it) => {
            *if_exists = it.if_exists().is_some();
            vec![DropPolicy::lower(it)?.into()]
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
