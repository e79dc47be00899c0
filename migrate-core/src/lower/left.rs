//! What statements without an operation of their own leave on tables and views, and what they take away from there.

use super::syntax;
use crate::name::{Name, QualifiedName};
use crate::schema::Unmodelled;
use squawk_syntax::ast::{self, AstNode};

type OnRelation = (QualifiedName, Unmodelled);

/// What a statement leaves.
pub(crate) fn leaves(statement: &ast::Stmt) -> Vec<OnRelation> {
    let one = match statement {
        ast::Stmt::Grant(it) => return grant(it),
        ast::Stmt::CreatePolicy(it) => policy(it),
        ast::Stmt::CreateRule(it) => {
            relation(it.rule_on().and_then(|on| on.relation_name_ref()), || Some(Unmodelled::Rule(syntax::name(&it.rule()?))))
        }
        ast::Stmt::AlterRule(it) => on_relation(it.on_relation(), || Some(Unmodelled::Rule(syntax::name(&it.rule_rename_to()?.rule()?)))),
        _ => None,
    };
    one.into_iter().collect()
}

/// What a statement takes away. A `revoke` may leave other privileges.
pub(crate) fn takes(statement: &ast::Stmt) -> Vec<OnRelation> {
    let one = match statement {
        ast::Stmt::DropRule(it) => on_relation(it.on_relation(), || Some(Unmodelled::Rule(syntax::name(&it.rule_ref()?)))),
        ast::Stmt::AlterRule(it) => on_relation(it.on_relation(), || Some(Unmodelled::Rule(syntax::name(&it.rule_ref()?)))),
        _ => None,
    };
    one.into_iter().collect()
}

/// The schemas on all of whose tables and views a statement grants something.
pub(crate) fn grants_in(statement: &ast::Stmt) -> Vec<Name> {
    let ast::Stmt::Grant(grant) = statement else { return Vec::new() };
    match grant.on_privilege_objects_clause().and_then(|on| on.privilege_objects()) {
        Some(ast::PrivilegeObjects::PrivilegeAllTablesInSchema(all)) => all.schema_refs().map(|schema| syntax::name(&schema)).collect(),
        _ => Vec::new(),
    }
}

fn grant(grant: &ast::Grant) -> Vec<OnRelation> {
    let relations: Vec<_> = match grant.on_privilege_objects_clause().and_then(|on| on.privilege_objects()) {
        Some(ast::PrivilegeObjects::PrivilegeDefault(named)) => named.relation_name_refs().collect(),
        Some(ast::PrivilegeObjects::PrivilegeTable(named)) => named.relation_name_refs().collect(),
        _ => return Vec::new(),
    };
    let of_columns = grant.privileges().is_some_and(|it| it.syntax().descendants().any(|node| ast::ColumnRefList::can_cast(node.kind())));
    let what = if of_columns { Unmodelled::ColumnGrant } else { Unmodelled::Grant };
    relations.into_iter().filter_map(|named| relation(Some(named), || Some(what.clone()))).collect()
}

fn on_relation(on: Option<ast::OnRelation>, what: impl FnOnce() -> Option<Unmodelled>) -> Option<OnRelation> {
    relation(on?.relation_name_ref(), what)
}

fn relation(named: Option<ast::RelationNameRef>, what: impl FnOnce() -> Option<Unmodelled>) -> Option<OnRelation> {
    Some((syntax::path_ref(&named?.path_ref()?)?, what()?))
}

fn policy(policy: &ast::CreatePolicy) -> Option<OnRelation> {
    let table = syntax::table_ref(&policy.on_table()?.table_name_ref()?)?;
    Some((table, Unmodelled::Policy(syntax::name(&policy.policy()?))))
}

#[cfg(test)]
mod tests {
    use crate::replay::{replay, steps};
    use crate::schema::Schema;

    const BASE: &str = "create schema app; create table a (id int); create table app.b (id int); create view v as select id from a; ";

    /// What hangs on `public.a`, `app.b` and `v` in the end.
    fn left(sql: &str) -> Vec<String> {
        let mut schema = Schema::default();
        let report = replay(&mut steps(&format!("{BASE}{sql}")).unwrap(), &mut schema, "m");
        assert!(report.is_empty(), "{sql}: {:?}", report.problems);
        let tables = schema.tables.iter().map(|(name, table)| (name, &table.unmodelled));
        let all = tables.chain(schema.views.iter().map(|(name, view)| (name, &view.unmodelled)));
        all.flat_map(|(name, unmodelled)| unmodelled.iter().map(move |what| format!("{name}: {what}"))).collect()
    }

    #[test]
    fn every_kind_is_noted_where_it_hangs() {
        for (sql, expected) in [
            ("create policy own on a to current_user using (true)", vec!["a: policy `own`"]),
            ("create rule \"R\" as on insert to app.b do instead nothing", vec!["app.b: rule `R`"]),
            ("create rule r as on insert to v do instead nothing", vec!["v: rule `r`"]),
            ("grant select, insert on a, v to current_user", vec!["a: a grant", "v: a grant"]),
            ("grant select (id) on table a to current_user", vec!["a: a grant on a column"]),
            ("grant all on all tables in schema public, app to x", vec!["app.b: a grant", "a: a grant", "v: a grant"]),
            ("grant usage on schema app to x; grant execute on function a(int) to x; grant x to y; grant select on a to x", vec![]),
        ] {
            assert_eq!(left(sql), expected, "{sql}");
        }
    }

    #[test]
    fn what_is_taken_away_or_renamed_is_no_longer_there() {
        for (sql, expected) in [
            ("create policy p on a to current_user; drop policy p on a", vec![]),
            ("create policy p on a to current_user; alter policy p on a rename to q", vec!["a: policy `q`"]),
            ("create rule r as on insert to a do instead nothing; alter rule r on a rename to s; drop rule s on a", vec![]),
            ("grant select on a to current_user; revoke select on a from current_user", vec!["a: a grant"]),
            ("grant select on v to current_user; create or replace view v as select id, 1 as one from a", vec!["v: a grant"]),
            ("grant select on a to current_user; alter table a rename to c", vec!["c: a grant"]),
        ] {
            assert_eq!(left(sql), expected, "{sql}");
        }
    }
}
