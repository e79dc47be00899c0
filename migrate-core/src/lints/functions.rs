//! The functions and procedures that a step creates.

use super::Context;
use crate::expression::{Token, tokens};
use crate::name::{At, Name, QualifiedName};
use crate::operation::Operation;
use crate::ops::RoutineReference;
use crate::schema::{Routine, RoutineBody, Volatility};

/// A function or a procedure, as far as its text tells.
pub(super) struct Function {
    /// Its name.
    pub(super) name: QualifiedName,
    /// `security definer`, where it is written.
    pub(super) definer: Option<At>,
    /// Whether it says `set search_path`.
    pub(super) has_search_path: bool,
    /// `immutable`, where it is written.
    pub(super) immutable: Option<At>,
    /// The relations that its body reads, as far as it can be read.
    pub(super) reads: Vec<QualifiedName>,
}

/// The function or the procedure that the step creates or replaces.
pub(super) fn created(context: &Context<'_>) -> Option<Function> {
    let Some(Operation::CreateRoutine(create)) = context.operation() else { return None };
    let attributes = &create.routine.attributes;
    let body = match &create.routine.body {
        RoutineBody::Text(text) => text,
        RoutineBody::Sql(body) => body.sql(),
        RoutineBody::Library(..) => "",
    };
    Some(Function {
        name: create.name.clone(),
        definer: attributes.security_definer.then_some(attributes.security_definer_at),
        has_search_path: attributes.settings.contains_key("search_path"),
        immutable: (attributes.volatility == Volatility::Immutable).then_some(attributes.volatility_at),
        reads: read_by(context, body),
    })
}

/// Whether the migration creates a function or procedure of that name, too.
pub(super) fn is_created(context: &Context<'_>, name: &QualifiedName) -> bool {
    let creates = |operation: &Operation| match operation {
        Operation::CreateRoutine(create) => create.name == *name,
        Operation::Opaque(opaque) => opaque.creates_routines.contains(name),
        _ => false,
    };
    context.earlier().any(|(operation, _)| creates(operation)) || context.later().any(creates)
}

/// Whether only triggers can execute it: then no query calls it.
pub(super) fn is_of_triggers(context: &Context<'_>, routine: &RoutineReference) -> bool {
    let returns = |routine: &Routine| routine.returns.sql().is_some_and(|returns| matches!(returns.as_str(), "trigger" | "event_trigger"));
    routine.find(context.before()).is_some_and(|(_, routine)| returns(routine))
}

/// The known relations behind `from` and `join` in the text of a body.
fn read_by(context: &Context<'_>, body: &str) -> Vec<QualifiedName> {
    let tokens: Vec<Token> = tokens(body).into_iter().map(|(token, _)| token).collect();
    let name = |token: Option<&Token>| match token {
        Some(Token::Word(word) | Token::Quoted(word)) => Some(Name::new(word.as_str())),
        _ => None,
    };
    let behind = |i: usize| {
        let first = name(tokens.get(i + 1))?;
        if tokens.get(i + 2).is_some_and(|dot| dot.is(".")) {
            return Some(QualifiedName { schema: first, name: name(tokens.get(i + 3))? });
        }
        Some(QualifiedName::public(first))
    };
    let places = tokens.iter().enumerate().filter(|(_, token)| token.is_word("from") || token.is_word("join"));
    let named = places.filter_map(|(i, _)| behind(i));
    named.filter(|name| context.before().relation_kind(name).is_some()).collect()
}
