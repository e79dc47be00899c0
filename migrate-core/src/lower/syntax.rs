//! Names, types and pieces of text out of the syntax tree.

use crate::data_type::{CHARACTER, DataType};
use crate::expression::Expression;
use crate::name::{At, DEFAULT_SCHEMA, Name, QualifiedName};
use squawk_syntax::ast::{self, AstNode, NameLike};
use squawk_syntax::{SyntaxKind, SyntaxNode, SyntaxToken};

/// Where a node stands, without the white space and comments around it.
pub(crate) fn at(node: &SyntaxNode) -> At {
    let mut tokens = significant_tokens(node);
    match tokens.next() {
        Some(first) => {
            let end = tokens.last().map_or(first.text_range().end(), |last| last.text_range().end());
            At::new(first.text_range().start().into()..end.into())
        }
        None => At::new(node.text_range().into()),
    }
}

/// The text of a node, without the white space and comments around it.
pub(crate) fn text(node: &SyntaxNode) -> String {
    let range = at(node).range();
    let start: usize = node.text_range().start().into();
    let full = node.text().to_string();
    full.get(range.start.saturating_sub(start)..range.end.saturating_sub(start)).unwrap_or_default().to_owned()
}

/// The text of a clause in one spelling for all layouts: words in small letters, a space between them.
pub(crate) fn spelt(node: &SyntaxNode) -> String {
    const OPERATORS: &[char] = &['+', '-', '*', '/', '<', '>', '=', '~', '!', '@', '#', '%', '^', '&', '|', '`', '?', ':'];
    let mut sql = String::new();
    let mut end = None;
    for token in significant_tokens(node) {
        let text = token.text();
        // the grammar's tokens are single characters: what touches is one operator
        let operator = end == Some(token.text_range().start()) && sql.ends_with(OPERATORS) && text.starts_with(OPERATORS);
        let tight = operator || sql.is_empty() || sql.ends_with(['(', '.']) || matches!(text, ")" | "," | ".");
        if !tight {
            sql.push(' ');
        }
        let is_literal = text.contains(['"', '\'']) || text.starts_with('$');
        sql.push_str(&if is_literal { text.to_owned() } else { text.to_lowercase() });
        end = Some(token.text_range().end());
    }
    sql
}

pub(crate) fn significant_tokens(node: &SyntaxNode) -> impl Iterator<Item = SyntaxToken> + use<> {
    node.descendants_with_tokens()
        .filter_map(squawk_syntax::SyntaxElement::into_token)
        .filter(|token| !matches!(token.kind(), SyntaxKind::WHITESPACE | SyntaxKind::COMMENT))
}

/// An identifier.
pub(crate) fn name<T: NameLike>(node: &T) -> Name {
    Name::cut(node.text(), at(node.syntax()))
}

/// A clause, in one spelling for all layouts.
pub(crate) fn clause(node: &impl AstNode) -> Expression {
    let mut clause = Expression::written(spelt(node.syntax()), at(node.syntax()));
    clause.references = references(node.syntax());
    clause
}

/// An expression.
pub(crate) fn expression(node: &impl AstNode) -> Expression {
    let mut expression = Expression::written(text(node.syntax()), at(node.syntax()));
    expression.references = references(node.syntax());
    expression
}

/// An expression on the rows of a table that may have subqueries. What stands in those isn't read: it may be a column of
/// whatever they read from.
pub(crate) fn condition(node: &ast::Expr) -> Expression {
    let mut expression = expression(node);
    let subqueries = node.syntax().descendants().filter(|node| ast::SelectVariant::can_cast(node.kind()));
    let subqueries: Vec<_> = subqueries.map(|node| at(&node).range()).collect();
    expression.references.retain(|name| !subqueries.iter().any(|subquery| subquery.contains(&name.at.range().start)));
    expression
}

/// The columns in an expression, each where it is written. A function's name, a table's, a field of a composite value and a
/// word that SQL has a meaning for are none.
pub(crate) fn references(node: &SyntaxNode) -> Vec<Name> {
    let names = node.descendants().filter_map(ast::NameRef::cast);
    let excluded = node.descendants().filter_map(ast::ConstraintIncludeClause::cast).filter_map(|clause| clause.column_ref_list());
    let included = excluded.flat_map(|list| list.column_name_refs().map(|column| name(&column)).collect::<Vec<_>>());
    names.filter(is_column).map(|column| name(&column)).chain(included).collect()
}

/// Whether the name, the last one of its path, is that of a column.
pub(crate) fn is_column(name: &ast::NameRef) -> bool {
    let node = name.syntax();
    let means_something = significant_tokens(node).next().is_some_and(|token| {
        use SyntaxKind as Kind;
        let after_is = node.parent().is_some_and(|parent| {
            parent.children().any(|child| matches!(child.kind(), Kind::IS_NOT) || child.text() == "is")
                || parent.children_with_tokens().any(|child| child.kind() == Kind::IS_KW)
        });
        match token.kind() {
            Kind::CURRENT_CATALOG_KW
            | Kind::CURRENT_DATE_KW
            | Kind::CURRENT_ROLE_KW
            | Kind::CURRENT_SCHEMA_KW
            | Kind::CURRENT_TIME_KW
            | Kind::CURRENT_TIMESTAMP_KW
            | Kind::CURRENT_USER_KW
            | Kind::LOCALTIME_KW
            | Kind::LOCALTIMESTAMP_KW
            | Kind::SESSION_USER_KW
            | Kind::SYSTEM_USER_KW
            | Kind::USER_KW => true,
            Kind::UNKNOWN_KW | Kind::DOCUMENT_KW | Kind::JSON_KW | Kind::NORMALIZED_KW => after_is,
            _ => false,
        }
    });
    if means_something {
        return false;
    }
    // up the path that it ends, `schema.table.column`, to what uses the path
    let mut end = node.clone();
    while let Some(field) = end.parent().and_then(ast::FieldExpr::cast) {
        let is_last = field.field().is_some_and(|last| *last.syntax() == end);
        let of_name = matches!(field.base(), Some(ast::Expr::NameRef(_) | ast::Expr::FieldExpr(_)));
        if !is_last || !of_name {
            return false;
        }
        end = field.syntax().clone();
    }
    let called = end.parent().and_then(ast::CallExpr::cast).and_then(|call| call.expr());
    called.is_none_or(|function| *function.syntax() != end)
}

/// A name with its schema, from the identifiers of a path.
pub(crate) fn qualified(parts: &[Name]) -> Option<QualifiedName> {
    let (last, rest) = parts.split_last()?;
    let schema = rest.last().cloned().unwrap_or_else(|| Name::new(DEFAULT_SCHEMA));
    Some(QualifiedName { schema, name: last.clone() })
}

/// The identifiers of a path that may be referred to: `schema.table` or `table.column`.
pub(crate) fn path_ref_parts(path: &ast::PathRef) -> Vec<Name> {
    let mut parts = path.qualifier().map(|qualifier| path_ref_parts(&qualifier)).unwrap_or_default();
    parts.extend(path.segment().map(|segment| name(&segment)));
    parts
}

/// The name that a `create` gives.
pub(crate) fn path(path: &ast::Path) -> Option<QualifiedName> {
    let mut parts = path.qualifier().map(|qualifier| path_ref_parts(&qualifier)).unwrap_or_default();
    parts.push(name(&path.segment()?));
    qualified(&parts)
}

/// The name that a statement refers to.
pub(crate) fn path_ref(path: &ast::PathRef) -> Option<QualifiedName> {
    qualified(&path_ref_parts(path))
}

/// The table that a statement refers to.
pub(crate) fn table_ref(table: &ast::TableNameRef) -> Option<QualifiedName> {
    path_ref(&table.path_ref()?)
}

/// The column that a statement names with its table: `schema.table.column`.
pub(crate) fn column_ref(column: &ast::QualifiedColumnNameRef) -> Option<(QualifiedName, Name)> {
    let parts = path_ref_parts(&column.path_ref()?);
    let (column, table) = parts.split_last()?;
    Some((qualified(table)?, column.clone()))
}

/// A value of an enum: PostgreSQL keeps it as a name.
pub(crate) fn label(literal: &ast::Literal) -> Option<Name> {
    Some(Name::written(literal.string_value()?, at(literal.syntax())))
}

/// A type.
pub(crate) fn data_type(node: &ast::Type) -> Option<DataType> {
    if let ast::Type::ArrayType(array) = node {
        return Some(DataType { array: true, ..data_type(&array.ty()?)? });
    }
    if let ast::Type::PathType(path) = node {
        let parts = path_ref_parts(&path.path_ref()?);
        let (last, rest) = parts.split_last()?;
        let modifier = path.arg_list().map(|list| inside_parentheses(list.syntax()));
        let quoted = significant_tokens(path.syntax()).any(|token| token.text() == CHARACTER);
        let word = if quoted { Name::written(CHARACTER, last.at) } else { last.clone() };
        return Some(DataType::from_words(rest.last(), &[word], modifier, false));
    }
    let mut words = Vec::new();
    let mut modifier = None;
    let mut depth = 0_u32;
    for token in significant_tokens(node.syntax()) {
        match token.kind() {
            SyntaxKind::L_PAREN => depth += 1,
            SyntaxKind::R_PAREN => depth = depth.saturating_sub(1),
            SyntaxKind::SETOF_KW => {}
            _ if depth > 0 => modifier.get_or_insert_with(String::new).push_str(token.text()),
            _ => words.push(Name::written(token.text().to_lowercase(), At::new(token.text_range().into()))),
        }
    }
    Some(DataType::from_words(None, &words, modifier, false))
}

fn inside_parentheses(node: &SyntaxNode) -> String {
    let text: String = significant_tokens(node).map(|token| token.text().to_owned()).collect();
    text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).unwrap_or(&text).trim().to_owned()
}
