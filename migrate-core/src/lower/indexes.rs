//! Keys and parameters of indexes.

use super::syntax;
use crate::name::{Name, quote_identifier};
use crate::schema::{IndexKey, IndexKeyKind};
use squawk_syntax::ast::{self, AstNode};

/// One key of an index. A column in parentheses is a column, and a collation around a key is that of the key.
pub(crate) fn key(item: &ast::PartitionItem) -> Option<IndexKey> {
    let mut expression = unparenthesized(item.expr()?);
    let mut collation = None;
    while let ast::Expr::Collate(collate) = &expression {
        let name = syntax::path_ref(&collate.collation_ref()?.path_ref()?)?.name.to_string();
        // of several collations the outermost holds
        collation.get_or_insert(name);
        expression = unparenthesized(collate.expr()?);
    }
    let descending = matches!(item.sort_order(), Some(ast::SortOrder::SortDesc(_)));
    if matches!(item.sort_order(), Some(ast::SortOrder::SortUsing(_))) {
        return None;
    }
    let nulls_first = match item.nulls_order() {
        Some(ast::NullsOrder::NullsFirst(_)) => true,
        Some(ast::NullsOrder::NullsLast(_)) => false,
        None => descending,
    };
    let kind = match &expression {
        ast::Expr::NameRef(name) => IndexKeyKind::Column(syntax::name(name)),
        ast::Expr::FieldExpr(field) if matches!(field.base(), Some(ast::Expr::NameRef(_))) => {
            IndexKeyKind::Column(syntax::name(&field.field()?))
        }
        expression => IndexKeyKind::Expression(syntax::expression(expression)),
    };
    Some(IndexKey { kind, collation, operator_class: operator_class(item)?, descending, nulls_first })
}

fn unparenthesized(mut expression: ast::Expr) -> ast::Expr {
    while let ast::Expr::ParenExpr(parentheses) = &expression {
        let Some(inner) = parentheses.expr() else { break };
        expression = inner;
    }
    expression
}

/// An item of `include (…)`: nothing but a column.
pub(crate) fn included(item: &ast::PartitionItem) -> Option<Name> {
    match item.expr()? {
        ast::Expr::NameRef(name) => Some(syntax::name(&name)),
        _ => None,
    }
}

/// `Some(None)`: there is none.
#[expect(clippy::option_option, reason = "the outer one is for a tree that lacks something")]
fn operator_class(item: &ast::PartitionItem) -> Option<Option<String>> {
    let Some(class) = item.op_class_ref() else { return Some(None) };
    let parts = syntax::path_ref_parts(&class.path_ref()?);
    let mut text = parts.iter().map(|part| quote_identifier(part.as_str())).collect::<Vec<_>>().join(".");
    let options: Vec<_> = item.attribute_list().iter().flat_map(ast::AttributeList::attribute_options).map(|it| option(&it)).collect();
    if !options.is_empty() {
        text = format!("{text} ({})", options.join(", "));
    }
    Some(Some(text))
}

/// `name=value`, as PostgreSQL's catalog has it: it doesn't tell `70` from `'70'`, and `pg_dump` writes the quotes.
fn option(option: &ast::AttributeOption) -> String {
    let tokens: Vec<_> = syntax::significant_tokens(option.syntax()).map(|token| token.text().to_owned()).collect();
    let lower = |tokens: &[String]| tokens.concat().to_lowercase();
    match tokens.iter().position(|token| token == "=") {
        Some(equals) => match &tokens[equals + 1..] {
            [value] if value.starts_with('\'') => format!("{}={}", lower(&tokens[..equals]), unquoted(value)),
            value => format!("{}={}", lower(&tokens[..equals]), lower(value)),
        },
        None => lower(&tokens),
    }
}

fn unquoted(value: &str) -> &str {
    let inside = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
    inside
        .filter(|inside| !inside.is_empty() && inside.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.'))
        .unwrap_or(value)
}

/// What stands in the parentheses of `with (…)`.
pub(crate) fn storage(parameters: &ast::WithParams) -> String {
    parameters.attribute_list().map(|list| attributes(&list)).unwrap_or_default()
}

/// What stands in a pair of parentheses like that of `with (…)`.
pub(crate) fn attributes(list: &ast::AttributeList) -> String {
    std::iter::once(list).flat_map(ast::AttributeList::attribute_options).map(|it| option(&it)).collect::<Vec<_>>().join(", ")
}
