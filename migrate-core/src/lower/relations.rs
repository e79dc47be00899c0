//! The relations that a statement names: not its common table expressions, not aliases, not functions.

use super::syntax;
use crate::name::{Name, QualifiedName};
use squawk_syntax::SyntaxNode;
use squawk_syntax::ast::{self, AstNode, NameLike};

/// The tables and views named anywhere in `node`, in their order. Those of the system catalogs are left out: every
/// database has them.
pub(crate) fn read_by(node: &SyntaxNode) -> impl Iterator<Item = QualifiedName> + use<> {
    node.descendants().filter_map(|node| {
        let parts = relation(&node)?;
        let name = syntax::qualified(&parts)?;
        let system = match parts.as_slice() {
            [alone] => alone.as_str().starts_with("pg_"),
            _ => matches!(name.schema.as_str(), "pg_catalog" | "information_schema" | "pg_toast"),
        };
        let common = parts.len() == 1 && !is_target(&node) && is_common_table(&node, name.name.as_str());
        (!system && !common).then_some(name)
    })
}

/// The identifiers of a node that names a relation.
fn relation(node: &SyntaxNode) -> Option<Vec<Name>> {
    let path = if let Some(relation) = ast::RelationNameRef::cast(node.clone()) {
        relation.path_ref()
    } else if let Some(view) = ast::ViewRef::cast(node.clone()) {
        view.path_ref()
    } else {
        ast::TableNameRef::cast(node.clone())?.path_ref()
    };
    Some(syntax::path_ref_parts(&path?))
}

/// Whether the node is what an `insert`, `update`, `delete` or `merge` writes to: always a relation.
fn is_target(node: &SyntaxNode) -> bool {
    let parent = node.parent().filter(|parent| !ast::RelationFromItem::can_cast(parent.kind()));
    let statement = match parent {
        Some(parent) if ast::RelationName::can_cast(parent.kind()) || ast::TableRelationName::can_cast(parent.kind()) => parent.parent(),
        parent => parent,
    };
    statement.is_some_and(|statement| {
        let kind = statement.kind();
        ast::Insert::can_cast(kind) || ast::Update::can_cast(kind) || ast::Delete::can_cast(kind) || ast::Merge::can_cast(kind)
    })
}

/// Whether `name` at `node` is a common table expression: one of a `with` around it, and not of a later one there.
fn is_common_table(node: &SyntaxNode, name: &str) -> bool {
    let start = node.text_range().start();
    node.ancestors().filter_map(|ancestor| with_clause(&ancestor)).any(|with| {
        let inside = with.syntax().text_range().contains(start);
        let recursive = with.recursive_token().is_some();
        with.with_tables()
            .filter(|table| !inside || recursive || table.syntax().text_range().end() <= start)
            .any(|table| table.name().is_some_and(|defined| defined.text() == name))
    })
}

/// The `with` of a statement. That of a `union` hangs on its first part, unless parentheses keep it there.
fn with_clause(statement: &SyntaxNode) -> Option<ast::WithClause> {
    let mut node = statement.clone();
    while let Some(compound) = ast::CompoundSelect::cast(node.clone()) {
        node = compound.lhs_operand()?.syntax().clone();
    }
    node.children().find_map(ast::WithClause::cast)
}
