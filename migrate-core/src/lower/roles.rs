//! Roles: whom something is for.

use super::syntax;
use crate::name::Name;
use crate::schema::EVERYBODY;
use squawk_syntax::ast;

/// A role by its name. `None` for whoever runs the statement: who that is the model can't know.
pub(crate) fn role(role: &ast::RoleRef) -> Option<Name> {
    match role.role_ref_value()? {
        ast::RoleRefValue::RoleNameRef(name) => Some(syntax::name(&name)),
        _ => None,
    }
}

/// Roles, each once. With everybody among them, PostgreSQL forgets the others.
pub(crate) fn roles(list: &ast::RoleRefList) -> Option<Vec<Name>> {
    let roles = each(list)?;
    let everybody = roles.iter().find(|role| role.as_str() == EVERYBODY).cloned();
    Some(everybody.map_or(roles, |everybody| vec![everybody]))
}

/// Roles, each once, everybody among them.
pub(crate) fn each(list: &ast::RoleRefList) -> Option<Vec<Name>> {
    let mut roles: Vec<Name> = Vec::new();
    for name in list.role_refs().map(|it| role(&it)) {
        let name = name?;
        if !roles.contains(&name) {
            roles.push(name);
        }
    }
    Some(roles)
}
