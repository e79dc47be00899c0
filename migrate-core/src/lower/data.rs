//! What a statement that reads or writes data names, out of its syntax tree.

use super::{relations, syntax};
use crate::data::{Assignment, Data, Insert, Mention, Rows, Source, Value};
use crate::name::{Name, QualifiedName};
use squawk_syntax::ast::{self, AstNode, BinOp, LitKind, NameLike};
use squawk_syntax::{SyntaxKind, SyntaxNode};

/// The names in `node`, subqueries and common table expressions included.
pub(crate) fn read(node: &SyntaxNode) -> Data {
    let mut data = Data::default();
    // `merge` has clauses of its own for what each part may name
    if node.descendants().any(|node| ast::Merge::can_cast(node.kind())) {
        return data;
    }
    for node in node.descendants() {
        if let Some(name) = ast::NameRef::cast(node.clone()) {
            data.mentions.extend(mention(&name));
        } else if let Some(cast) = ast::CastExpr::cast(node.clone()) {
            data.casts.extend(string_cast(&cast));
        } else if let Some(insert) = ast::Insert::cast(node.clone()) {
            data.inserts.extend(self::insert(&insert));
        } else if let Some(update) = ast::Update::cast(node.clone()) {
            let target = update.relation_name().and_then(|name| target(&name));
            let set = update.set_clause();
            data.assignments.extend(target.iter().zip(set).flat_map(|(table, set)| assignments(table, &set)));
        } else if let Some(set) = ast::SetClause::cast(node.clone()) {
            let conflict = node.ancestors().find_map(ast::Insert::cast).filter(|_| node.parent().is_some_and(is_conflict_action));
            let target = conflict.and_then(|insert| syntax::path_ref(&insert.relation_name_ref()?.path_ref()?));
            data.assignments.extend(target.iter().flat_map(|table| assignments(table, &set)));
        }
    }
    data
}

fn is_conflict_action(node: SyntaxNode) -> bool {
    ast::ConflictDoUpdateSet::can_cast(node.kind())
}

fn mention(name: &ast::NameRef) -> Option<Mention> {
    let is_default = syntax::significant_tokens(name.syntax()).any(|token| token.kind() == SyntaxKind::DEFAULT_KW);
    // `alias.*`
    let is_prefix = name.syntax().last_token().and_then(|last| last.next_token()).is_some_and(|next| next.text() == ".");
    if is_default || is_prefix || !syntax::is_column(name) {
        return None;
    }
    let field = name.syntax().parent().and_then(ast::FieldExpr::cast);
    let base = field.as_ref().and_then(ast::FieldExpr::base);
    let qualifier = match base {
        None => None,
        Some(ast::Expr::NameRef(table)) => Some((None, syntax::name(&table))),
        Some(ast::Expr::FieldExpr(path)) => {
            let Some(ast::Expr::NameRef(schema)) = path.base() else { return None };
            Some((Some(syntax::name(&schema)), syntax::name(&path.field()?)))
        }
        Some(_) => return None,
    };
    let value = field.as_ref().map_or(name.syntax(), ast::FieldExpr::syntax);
    let scopes = scopes(value, qualifier.is_some())?;
    Some(Mention { qualifier, column: syntax::name(name), scopes, compared_with: compared_with(value) })
}

/// The sources of each query around `node`; `None` where it may be the name of a result.
fn scopes(node: &SyntaxNode, qualified: bool) -> Option<Vec<Vec<Source>>> {
    let mut scopes = Vec::new();
    let mut below = node.clone();
    for ancestor in node.ancestors().skip(1) {
        let names_results = ast::OrderByClause::can_cast(ancestor.kind())
            || ast::GroupByClause::can_cast(ancestor.kind())
            || ast::DistinctOn::can_cast(ancestor.kind());
        if names_results && !qualified && scopes.is_empty() && !ancestor.ancestors().any(|it| is_call(&it)) {
            return None;
        }
        if let Some(select) = ast::Select::cast(ancestor.clone()) {
            scopes.push(select.from_clause().map(|from| sources(from.syntax())).unwrap_or_default());
        } else if let Some(select) = ast::SelectInto::cast(ancestor.clone()) {
            scopes.push(select.syntax().children().find_map(ast::FromClause::cast).map(|from| sources(from.syntax())).unwrap_or_default());
        } else if let Some(update) = ast::Update::cast(ancestor.clone()) {
            let alias = update.alias().and_then(|alias| alias.name());
            let mut scope = vec![target_source(target(&update.relation_name()?)?, alias)];
            scope.extend(update.from_clause().into_iter().flat_map(|from| sources(from.syntax())));
            scopes.push(scope);
        } else if let Some(delete) = ast::Delete::cast(ancestor.clone()) {
            let alias = delete.alias().and_then(|alias| alias.name());
            let mut scope = vec![target_source(target(&delete.relation_name()?)?, alias)];
            scope.extend(delete.using_clause().into_iter().flat_map(|using| sources(using.syntax())));
            scopes.push(scope);
        } else if let Some(insert) = ast::Insert::cast(ancestor.clone()) {
            let is_source = insert.insert_source().is_some_and(|source| *source.syntax() == below);
            if !is_source {
                let table = insert.relation_name_ref().and_then(|name| syntax::path_ref(&name.path_ref()?))?;
                let excluded = Source { called: Name::new("excluded"), relation: Some(table.clone()) };
                scopes.push(vec![target_source(table, insert.alias().and_then(|alias| alias.name())), excluded]);
            }
        } else if is_tail_of_compound(&ancestor, &below) {
            return None;
        }
        below = ancestor;
    }
    Some(scopes)
}

fn is_call(node: &SyntaxNode) -> bool {
    ast::OverClause::can_cast(node.kind())
}

/// The keys of `order by` behind `union` and `values` are names of results.
fn is_tail_of_compound(node: &SyntaxNode, below: &SyntaxNode) -> bool {
    let compound = ast::CompoundSelect::can_cast(node.kind())
        || ast::ParenSelect::can_cast(node.kind())
        || ast::Values::can_cast(node.kind())
        || ast::Table::can_cast(node.kind());
    compound && ast::SelectTailClause::can_cast(below.kind())
}

fn target(name: &ast::RelationName) -> Option<QualifiedName> {
    syntax::path_ref(&name.relation_name_ref()?.path_ref()?)
}

fn target_source(table: QualifiedName, alias: Option<ast::TableAlias>) -> Source {
    let called = alias.map_or_else(|| table.name.clone(), |alias| alias_name(&alias));
    Source { called, relation: Some(table) }
}

fn alias_name(alias: &ast::TableAlias) -> Name {
    Name::written(alias.text(), syntax::at(alias.syntax()))
}

/// What a `from` or a `using` reads, joins included. What isn't a relation with its own columns has none that are known.
fn sources(clause: &SyntaxNode) -> Vec<Source> {
    let mut sources = Vec::new();
    for node in clause.children() {
        if let Some(item) = ast::RelationFromItem::cast(node.clone()) {
            sources.extend(relation(&item));
        } else if ast::FromItem::can_cast(node.kind()) {
            let alias = node.children().find_map(ast::FromAlias::cast).and_then(|alias| alias.name());
            let called = alias.map_or_else(|| Name::new(""), |alias| alias_name(&alias));
            sources.push(Source { called, relation: None });
        } else if ast::JoinExpr::can_cast(node.kind()) || ast::Join::can_cast(node.kind()) {
            sources.extend(self::sources(&node));
        }
    }
    sources
}

fn relation(item: &ast::RelationFromItem) -> Option<Source> {
    let reference = item.relation_name_ref()?;
    let name = syntax::path_ref(&reference.path_ref()?)?;
    let alias = item.alias();
    let renamed = alias.as_ref().is_some_and(|alias| alias.columns().is_some());
    // what `with` defines and system catalogs are none of these
    let known = relations::read_by(reference.syntax()).next().filter(|_| !renamed);
    let called = alias.and_then(|alias| alias.name()).map_or_else(|| name.name.clone(), |alias| alias_name(&alias));
    Some(Source { called, relation: known })
}

/// The strings that the value at `node` is compared with.
fn compared_with(node: &SyntaxNode) -> Vec<Name> {
    let Some(comparison) = node.parent().and_then(ast::BinExpr::cast) else { return Vec::new() };
    let others = match comparison.op() {
        Some(BinOp::Eq(_) | BinOp::Neq(_) | BinOp::Neqb(_) | BinOp::IsDistinctFrom(_) | BinOp::IsNotDistinctFrom(_)) => {
            [comparison.lhs(), comparison.rhs()].into_iter().flatten().collect()
        }
        Some(BinOp::In(_) | BinOp::NotIn(_)) => match comparison.rhs() {
            Some(ast::Expr::TupleExpr(list)) => list.exprs().collect(),
            Some(ast::Expr::ParenExpr(one)) => one.expr().into_iter().collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    others.iter().filter_map(string).collect()
}

/// The expression, if it is a plain string.
fn string(expression: &ast::Expr) -> Option<Name> {
    let ast::Expr::Literal(literal) = expression else { return None };
    syntax::label(literal)
}

fn string_cast(cast: &ast::CastExpr) -> Option<(QualifiedName, Name)> {
    let label = cast.expr().as_ref().and_then(string)?;
    let data_type = syntax::data_type(&cast.ty()?)?;
    let name = data_type.named().filter(|_| !data_type.array)?.clone();
    Some((name, label))
}

fn value(expression: &ast::Expr) -> Value {
    let words = syntax::spelt(expression.syntax());
    match expression {
        ast::Expr::Literal(literal) if matches!(literal.kind(), Some(LitKind::Null(_))) => Value::Null(syntax::at(expression.syntax())),
        _ if words == "default" => Value::Default,
        expression => string(expression).map_or(Value::Other, Value::String),
    }
}

fn assignments(table: &QualifiedName, set: &ast::SetClause) -> Vec<Assignment> {
    let mut assignments = Vec::new();
    let mut assign = |target: &ast::ColumnTarget, value: Value| {
        let part = target.accessors().next().is_some();
        let value = if part { Value::Other } else { value };
        assignments.extend(target.name().map(|name| Assignment { table: table.clone(), column: syntax::name(&name), value }));
    };
    for column in set.set_column_list().iter().flat_map(ast::SetColumnList::set_columns) {
        match column {
            ast::SetColumn::SetSingleColumn(it) => {
                let value = it.set_expr().and_then(|set| set.expr()).map_or(Value::Default, |expression| value(&expression));
                it.column_target().iter().for_each(|target| assign(target, value.clone()));
            }
            ast::SetColumn::SetMultipleColumns(it) => {
                let targets = it.column_target_list();
                targets.iter().flat_map(ast::ColumnTargetList::column_targets).for_each(|target| assign(&target, Value::Other));
            }
        }
    }
    assignments
}

fn insert(insert: &ast::Insert) -> Option<Insert> {
    let table = syntax::path_ref(&insert.relation_name_ref()?.path_ref()?)?;
    let columns = insert.column_target_list().map(|list| {
        let column = |target: ast::ColumnTarget| Some((syntax::name(&target.name()?), target.accessors().next().is_some()));
        list.column_targets().filter_map(column).collect()
    });
    let rows = match insert.insert_source()? {
        ast::InsertSource::DefaultValues(_) => Rows::Default,
        ast::InsertSource::SelectVariant(ast::SelectVariant::Values(values)) => {
            let rows = values.row_list().into_iter().flat_map(|list| list.rows().collect::<Vec<_>>());
            let row = |row: ast::Row| (syntax::at(row.syntax()), row.exprs().map(|expression| value(&expression)).collect::<Vec<_>>());
            Rows::Values(rows.map(row).collect())
        }
        ast::InsertSource::SelectVariant(query) => Rows::Query(width(&query)),
    };
    Some(Insert { table, columns, rows })
}

/// How many results a query has, with the place of their list; `None` where a `*` leaves that open.
fn width(query: &ast::SelectVariant) -> Option<(crate::name::At, usize)> {
    let list = query.target_list()?;
    let is_open = |target: &ast::Target| syntax::text(target.syntax()).ends_with('*');
    let targets: Vec<_> = list.targets().collect();
    (!targets.iter().any(is_open)).then(|| (syntax::at(list.syntax()), targets.len()))
}
