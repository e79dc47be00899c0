//! Which rows a statement is about, as far as its text tells.

use super::{relations, syntax};
use crate::name::QualifiedName;
use squawk_syntax::SyntaxNode;
use squawk_syntax::ast::{self, AstNode, BinOp};

/// The tables whose rows a statement changes, deletes or copies, where it doesn't name those rows by values. What is looked
/// up in a subquery isn't gone over.
pub(crate) fn gone_over(statement: &ast::Stmt) -> Vec<QualifiedName> {
    let works_on_rows = matches!(
        statement,
        ast::Stmt::Select(_) | ast::Stmt::Insert(_) | ast::Stmt::Update(_) | ast::Stmt::Delete(_) | ast::Stmt::Merge(_)
    );
    let parts = statement.syntax().descendants().filter(|_| works_on_rows);
    let mut tables: Vec<QualifiedName> = Vec::new();
    for table in parts.flat_map(|node| part(&node)) {
        if !tables.contains(&table) {
            tables.push(table);
        }
    }
    tables
}

fn part(node: &SyntaxNode) -> Vec<QualifiedName> {
    if let Some(update) = ast::Update::cast(node.clone()) {
        let from = update.from_clause().map(|clause| clause.syntax().clone());
        return written(update.relation_name(), update.where_clause_or_current_of(), from);
    }
    if let Some(delete) = ast::Delete::cast(node.clone()) {
        let using = delete.using_clause().map(|clause| clause.syntax().clone());
        return written(delete.relation_name(), delete.where_clause_or_current_of(), using);
    }
    if let Some(insert) = ast::Insert::cast(node.clone()) {
        return insert.insert_source().map(|source| copied(source.syntax())).unwrap_or_default();
    }
    if ast::Merge::can_cast(node.kind()) { relations::read_by(node).collect() } else { Vec::new() }
}

fn written(
    target: Option<ast::RelationName>,
    condition: Option<ast::WhereClauseOrCurrentOf>,
    sources: Option<SyntaxNode>,
) -> Vec<QualifiedName> {
    let named = match condition {
        None => false,
        Some(ast::WhereClauseOrCurrentOf::WhereCurrentOf(_)) => true,
        Some(ast::WhereClauseOrCurrentOf::WhereClause(clause)) => are_named(&clause),
    };
    if named {
        return Vec::new();
    }
    let target = target.and_then(|name| syntax::path_ref(&name.relation_name_ref()?.path_ref()?));
    target.into_iter().chain(sources.iter().flat_map(relations::read_by)).collect()
}

/// What the queries of an `insert` read, but for those that are part of an expression.
fn copied(source: &SyntaxNode) -> Vec<QualifiedName> {
    let is_outer = |query: &ast::Select| {
        let between = query.syntax().ancestors().skip(1).take_while(|node| node != source);
        !between.into_iter().any(|node| ast::Expr::can_cast(node.kind()))
    };
    let queries = source.descendants().filter_map(ast::Select::cast).filter(is_outer);
    let whole = queries.filter(|query| !query.where_clause().is_some_and(|clause| are_named(&clause)));
    let clauses: Vec<_> = whole.filter_map(|query| query.from_clause()).collect();
    clauses.iter().flat_map(|clause| relations::read_by(clause.syntax())).collect()
}

fn are_named(clause: &ast::WhereClause) -> bool {
    clause.expr().is_some_and(|condition| conjuncts(condition).iter().any(names_values))
}

/// What is joined by `and`.
pub(crate) fn conjuncts(expression: ast::Expr) -> Vec<ast::Expr> {
    match &expression {
        ast::Expr::BinExpr(both) if matches!(both.op(), Some(BinOp::And(_))) => {
            both.lhs().into_iter().chain(both.rhs()).flat_map(conjuncts).collect()
        }
        ast::Expr::ParenExpr(inner) => match inner.syntax().children().find_map(ast::Expr::cast) {
            Some(inner) => conjuncts(inner),
            None => vec![expression],
        },
        _ => vec![expression],
    }
}

/// `a = 1`, `a in (1, 2)`, `a between 1 and 100`.
pub(crate) fn names_values(part: &ast::Expr) -> bool {
    let literals = |node: Option<ast::Expr>| {
        node.is_some_and(|node| {
            let mut inside = node.syntax().descendants().filter_map(ast::Expr::cast);
            inside.all(|expression| !matches!(expression, ast::Expr::NameRef(_) | ast::Expr::FieldExpr(_)))
                && !node.syntax().descendants().any(|node| ast::SelectClause::can_cast(node.kind()))
        })
    };
    match part {
        ast::Expr::BetweenExpr(_) => true,
        ast::Expr::BinExpr(both) => matches!(both.op(), Some(BinOp::Eq(_) | BinOp::In(_))) && literals(both.rhs()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn rows_are_gone_over_unless_values_name_them() {
        for (sql, expected) in [
            ("update t set a = 1", "t"),
            ("update s.t set a = 1 where a is null", "s.t"),
            ("update t set a = 1 where b <> 2 and id = 5", ""),
            ("update t set a = 1 where id in (1, 2)", ""),
            ("update t set a = u.a from u where u.id = t.u_id", "t, u"),
            ("update t set a = (select max(b) from u)", "t"),
            ("delete from t using u where t.id = u.id", "t, u"),
            ("delete from t where id = 5", ""),
            ("insert into t values (1, 'a')", ""),
            ("insert into t select * from u", "u"),
            ("insert into t select * from u join v using (id) union all select * from w where w.id = 1", "u, v"),
            ("insert into t values ((select max(id) from u))", ""),
            ("insert into t select a, (select max(id) from u) from v", "v"),
            ("with gone as (delete from t returning *) insert into u select * from gone", "t"),
            ("with gone as (delete from t returning *) select count(*) from gone", "t"),
            ("merge into t using u on t.id = u.id when matched then delete", "t, u"),
            ("select count(*) from t", ""),
            ("select setval('t_id_seq', (select max(id) from t))", ""),
            ("create table t as select * from u", ""),
            ("create function f() returns void language sql as $$ update t set a = 1 $$", ""),
        ] {
            let steps = crate::replay::steps(sql).unwrap();
            let tables: Vec<_> = steps[0].goes_over.iter().map(ToString::to_string).collect();
            assert_eq!(tables.join(", "), expected, "{sql}");
        }
    }
}
