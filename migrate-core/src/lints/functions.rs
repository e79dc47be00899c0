//! The functions and procedures that a step creates.

use super::Context;
use crate::expression::{Token, tokens};
use crate::lower::{relations, syntax};
use crate::name::{At, Name, QualifiedName};
use crate::operation::Operation;
use squawk_syntax::ast::{self, AstNode};

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
    if !matches!(context.operation(), Some(Operation::Opaque(opaque)) if matches!(opaque.kind.as_str(), "create function" | "create procedure"))
    {
        return None;
    }
    let (opaque, statement) = context.statement()?;
    let (name, options, body) = match &statement {
        ast::Stmt::CreateFunction(it) => (it.name()?.path()?, it.option_list(), it.body()),
        ast::Stmt::CreateProcedure(it) => (it.name()?.path()?, it.option_list(), it.body()),
        _ => return None,
    };
    let name = syntax::path(&name)?;
    let mut function = Function { name, definer: None, has_search_path: false, immutable: None, reads: Vec::new() };
    for option in options.iter().flat_map(|list| list.options().collect::<Vec<_>>()) {
        let place = Context::at(opaque, &option);
        match &option {
            ast::FuncOption::SecurityDefinerFuncOption(_) => function.definer = Some(place),
            ast::FuncOption::SetFuncOption(set) => {
                function.has_search_path |= syntax::text(set.syntax()).to_lowercase().contains("search_path");
            }
            ast::FuncOption::VolatilityFuncOption(it) if syntax::text(it.syntax()).eq_ignore_ascii_case("immutable") => {
                function.immutable = Some(place);
            }
            ast::FuncOption::AsFuncOption(it) => {
                let literal = it.syntax().descendants().find_map(ast::Literal::cast);
                let body = literal.and_then(|literal| literal.string_value());
                function.reads.extend(body.iter().flat_map(|body| read_by(context, body)));
            }
            _ => {}
        }
    }
    function.reads.extend(body.iter().flat_map(|body| relations::read_by(body.syntax()).collect::<Vec<_>>()));
    Some(function)
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
