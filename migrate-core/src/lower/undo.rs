//! The statement that drops what a statement without an operation of its own creates.

use super::syntax;
use crate::name::Name;
use squawk_syntax::SyntaxNode;
use squawk_syntax::ast::{self, AstNode};

/// `None` for what creates nothing, or may have replaced or found something of that name.
pub(crate) fn drop_of(statement: &ast::Stmt) -> Option<String> {
    let node = statement.syntax();
    let uncertain = |child: SyntaxNode| ast::OrReplace::can_cast(child.kind()) || ast::IfNotExists::can_cast(child.kind());
    if node.children().any(uncertain) {
        return None;
    }
    let path = |path: Option<ast::Path>| Some(syntax::path(&path?)?.quoted());
    if is_temporary(node) {
        return None;
    }
    let relation = |kind: &str, name: Option<ast::Path>| Some(format!("drop {kind} {}", syntax::path(&name?)?.quoted()));
    let on = |kind: &str, name: Name, relation: ast::PathRef| {
        Some(format!("drop {kind} {} on {}", name.quoted(), syntax::path_ref(&relation)?.quoted()))
    };
    match statement {
        ast::Stmt::CreateDomain(it) => Some(format!("drop domain {}", path(it.domain()?.path())?)),
        ast::Stmt::CreateEventTrigger(it) => Some(format!("drop event trigger {}", syntax::name(&it.event_trigger()?).quoted())),
        ast::Stmt::CreateForeignTable(it) => relation("foreign table", it.table_name()?.path()),
        ast::Stmt::CreateFunction(it) => Some(format!("drop function {}{}", path(it.name()?.path())?, signature(&it.param_list()?))),
        ast::Stmt::CreatePolicy(it) => on("policy", syntax::name(&it.policy()?), it.on_table()?.table_name_ref()?.path_ref()?),
        ast::Stmt::CreateProcedure(it) => Some(format!("drop procedure {}{}", path(it.name()?.path())?, signature(&it.param_list()?))),
        ast::Stmt::CreatePublication(it) => Some(format!("drop publication {}", syntax::name(&it.publication()?).quoted())),
        ast::Stmt::CreateSequence(it) => relation("sequence", it.sequence()?.path()),
        ast::Stmt::CreateStatistics(it) => Some(format!("drop statistics {}", path(it.statistics()?.path())?)),
        ast::Stmt::CreateTable(it) => relation("table", it.table_name()?.path()),
        ast::Stmt::CreateTableAs(it) => relation("table", it.table_name()?.path()),
        ast::Stmt::CreateType(it) if it.kind().is_some_and(|kind| !matches!(kind, ast::CreateTypeKind::BaseType(_))) => {
            Some(format!("drop type {}", path(it.type_name()?.path())?))
        }
        ast::Stmt::CreateView(it) => relation("view", it.view()?.path()),
        _ => None,
    }
}

/// Whether what a statement creates is gone when the session ends.
pub(crate) fn is_temporary(statement: &SyntaxNode) -> bool {
    let into = statement.children().filter_map(ast::IntoClause::cast).find_map(|into| into.persistence());
    let own = statement.children().find_map(ast::Persistence::cast);
    own.or(into).is_some_and(|it| matches!(it, ast::Persistence::Temp(_)))
}

/// The parameters as `drop` wants them: without their defaults.
fn signature(parameters: &ast::ParamList) -> String {
    let parameter = |parameter: ast::Param| {
        let text = syntax::text(parameter.syntax());
        let default = parameter.param_default().map(|default| syntax::at(default.syntax()).range().start);
        let end = default.map_or(text.len(), |default| default.saturating_sub(syntax::at(parameter.syntax()).range().start));
        text.get(..end).unwrap_or(&text).trim_end().to_owned()
    };
    format!("({})", parameters.params().map(parameter).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use crate::lower::parse;
    use crate::operation::Operate;
    use crate::schema::Schema;

    #[test]
    fn drops_exactly_what_was_created() {
        for (sql, undo) in [
            (
                "create function app.f(in a text default 'x, y', variadic b t.c%type) returns text language sql as 'select 1'",
                "drop function app.f(in a text, variadic b t.c%type)",
            ),
            ("create procedure p(a t.b%type) language sql as ''", "drop procedure public.p(a t.b%type)"),
            ("create policy own on a using (true)", "drop policy own on public.a"),
            ("create domain email as text", "drop domain public.email"),
            ("create type address as (street text)", "drop type public.address"),
            ("create table a (like b)", "drop table public.a"),
            ("create table a as select 1", "drop table public.a"),
            ("create publication p for all tables", "drop publication p"),
        ] {
            let statements = parse(sql).unwrap();
            let inverse = statements[0].operations[0].inverse(&Schema::default()).unwrap();
            assert_eq!(inverse.iter().flat_map(Operate::render).collect::<Vec<_>>(), [undo], "{sql}");
        }
    }

    #[test]
    fn what_may_have_been_there_is_not_dropped() {
        for sql in [
            "create or replace function f(a t.b%type) returns int language sql as ''",
            "create statistics if not exists s on a, b from t",
            "vacuum a",
        ] {
            assert!(parse(sql).unwrap()[0].operations[0].inverse(&Schema::default()).is_err(), "{sql}");
        }
    }
}
