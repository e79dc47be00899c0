//! The syntax trees of all that a step says in expressions, queries and statements.

use super::{Context, new_constraints};
use crate::expression::Expression;
use crate::lower::syntax;
use crate::name::At;
use crate::operation::Operation;
use crate::ops::Opaque;
use crate::schema::{ConstraintKind, IndexKeyKind};
use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{SourceFile, SyntaxNode};

/// The tree of one piece of SQL.
pub(super) struct Tree {
    root: SyntaxNode,
    /// How many bytes of ours are before the piece in the text of the tree.
    prefix: u32,
    /// Where the piece was written.
    at: At,
    /// Whether it stands there as in the tree.
    verbatim: bool,
}

impl Tree {
    fn new(sql: &Expression, prefix: &str) -> Option<Self> {
        let parsed = SourceFile::parse(&format!("{prefix}{}", sql.sql()));
        let length = |text: &str| u32::try_from(text.len()).unwrap_or(u32::MAX);
        // a statement is written with the semicolon behind it
        let written = sql.at.end.saturating_sub(sql.at.start);
        let verbatim = written == length(sql.sql()) || (prefix.is_empty() && written > length(sql.sql()));
        let root = parsed.tree().syntax().clone();
        parsed.errors().is_empty().then(|| Self { root, prefix: length(prefix), at: sql.at, verbatim })
    }

    /// All nodes of this kind, from the outside in.
    pub(super) fn all<N: AstNode>(&self) -> impl Iterator<Item = N> + use<N> {
        self.root.descendants().filter_map(N::cast)
    }

    /// Where a node stands; where the whole stands, if its text isn't what was written.
    pub(super) fn at(&self, node: &impl AstNode) -> At {
        let inside = syntax::at(node.syntax());
        if !self.verbatim || inside.start < self.prefix {
            return self.at;
        }
        let place = |offset: u32| self.at.start + offset - self.prefix;
        At { start: place(inside.start), end: place(inside.end) }
    }
}

/// The tree of a statement.
pub(super) fn of_opaque(opaque: &Opaque) -> Option<Tree> {
    Tree::new(&opaque.sql, "")
}

/// The trees of a step: that of its statement, or those of its expressions.
pub(super) fn of(context: &Context<'_>) -> Vec<Tree> {
    let expression = |expression: &Expression| Tree::new(expression, "select ");
    let checks = new_constraints::added(context).into_iter().filter_map(|(_, constraint)| match &constraint.kind {
        ConstraintKind::Check { expression, .. } => Some(expression),
        _ => None,
    });
    let own: Vec<_> = match context.operation() {
        Some(Operation::Opaque(opaque)) => of_opaque(opaque).into_iter().collect(),
        Some(Operation::CreateTableAs(create)) => Tree::new(&create.query, "").into_iter().collect(),
        Some(Operation::CreateView(create)) => {
            let query = create.view.written.query.as_ref().unwrap_or(&create.view.query);
            Tree::new(query, "").into_iter().collect()
        }
        Some(Operation::CreateIndex(create)) => {
            let keys = create.index.keys.iter().filter_map(|key| match &key.kind {
                IndexKeyKind::Expression(expression) => Some(expression),
                IndexKeyKind::Column(_) => None,
            });
            create.index.predicate.iter().chain(keys).filter_map(expression).collect()
        }
        Some(Operation::AlterColumnType(alter)) => alter.using.iter().filter_map(expression).collect(),
        Some(Operation::CreateTrigger(create)) => create.trigger.when.iter().filter_map(expression).collect(),
        Some(Operation::CreatePolicy(create)) => create.policy.expressions().filter_map(expression).collect(),
        Some(Operation::AlterPolicy(alter)) => alter.using.iter().chain(&alter.check).filter_map(expression).collect(),
        _ => Vec::new(),
    };
    own.into_iter().chain(checks.filter_map(expression)).collect()
}

/// The name at the end of `a`, `t.a` or `schema.t.a`.
pub(super) fn column_of(expression: &ast::Expr) -> Option<String> {
    match expression {
        ast::Expr::NameRef(name) => Some(syntax::name(name).as_str().to_owned()),
        ast::Expr::FieldExpr(field) => Some(syntax::name(&field.field()?).as_str().to_owned()),
        ast::Expr::ParenExpr(inner) => column_of(&inner.syntax().children().find_map(ast::Expr::cast)?),
        _ => None,
    }
}

/// Whether it is `null`.
pub(super) fn is_null(expression: &ast::Expr) -> bool {
    match expression {
        ast::Expr::Literal(literal) => syntax::text(literal.syntax()).eq_ignore_ascii_case("null"),
        ast::Expr::ParenExpr(inner) => inner.syntax().children().find_map(ast::Expr::cast).is_some_and(|inner| is_null(&inner)),
        _ => false,
    }
}
