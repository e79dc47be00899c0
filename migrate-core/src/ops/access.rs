//! What `grant`, `revoke` and `owner to` share.

use crate::name::{Name, quoted_list};
use crate::operation::Operation;
use crate::ops::{AlterOwner, Grant};
use crate::report::Report;
use crate::schema::{ALL, Access, ObjectKey, Privilege, Schema, all_privileges};
use serde::{Deserialize, Serialize};

/// What one role may do with one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Right {
    /// With what: a relation, a sequence, a schema or a type. Any relation is a table until it is bound.
    pub object: ObjectKey,
    /// What: `select`, `usage`, or `all`.
    pub action: Name,
    /// With which columns only; with none: with the whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Name>,
    /// Who: `public` is everybody.
    pub role: Name,
}

impl Right {
    /// `select (title) on table public.documents`.
    pub(super) fn sql(&self) -> String {
        let columns = if self.columns.is_empty() { String::new() } else { format!(" ({})", quoted_list(&self.columns)) };
        format!("{}{columns} on {}", self.action, object_sql(&self.object))
    }

    /// `` `select` on table `documents` ``.
    pub(super) fn describe(&self) -> String {
        format!("`{}` on {}", self.action, object(&self.object))
    }

    /// What it is made of, with or without the right to give it to others.
    pub(super) fn privileges(&self, grantable: bool) -> Vec<Privilege> {
        let actions = match self.action.as_str() {
            ALL => all_privileges(&self.object, !self.columns.is_empty()).iter().copied().chain([ALL]).collect(),
            action => vec![action],
        };
        let columns: Vec<Option<Name>> =
            if self.columns.is_empty() { vec![None] } else { self.columns.iter().cloned().map(Some).collect() };
        let of = |action: &str, column: Option<Name>| Privilege { role: self.role.clone(), action: action.to_owned(), column, grantable };
        actions.into_iter().flat_map(|action| columns.iter().map(move |column| of(action, column.clone()))).collect()
    }

    /// The columns' and the object's names that aren't there.
    pub(super) fn check(&self, schema: &Schema, report: &mut Report) {
        if !needs(schema, &self.object, report) {
            return;
        }
        let columns = !self.columns.is_empty();
        let all = all_privileges(&self.object, columns);
        // the model doesn't know the server's version, and older ones lack it
        let maintains = self.action.as_str() == "maintain" && all.contains(&"truncate");
        if self.action.as_str() != ALL && !all.contains(&self.action.as_str()) && !maintains {
            let what = if columns { "a column" } else { self.object.kind() };
            let list: Vec<_> = all.iter().map(|action| format!("`{action}`")).collect();
            let article = if columns { "" } else { "a " };
            let message = format!("`{}` is no privilege on {article}{what}", self.action);
            report.problem(self.action.at, message).help = Some(format!("choose of {}", list.join(", ")));
        }
        if let ObjectKey::Table(table) = &self.object {
            for column in &self.columns {
                report.needs_column(schema, table, column);
            }
        }
    }

    pub(super) fn requires(&self) -> Vec<ObjectKey> {
        let column = |column: &Name| match &self.object {
            ObjectKey::Table(table) => Some(ObjectKey::Column(table.clone(), column.clone())),
            _ => None,
        };
        self.columns.iter().filter_map(column).collect()
    }
}

/// Which kind of relation a name is of.
pub(super) fn bind(object: &mut ObjectKey, schema: &Schema) {
    if let ObjectKey::Table(name) = object {
        if schema.views.contains_key(name) {
            *object = ObjectKey::View(name.clone());
        } else if schema.sequences.contains_key(name) {
            *object = ObjectKey::Sequence(name.clone());
        }
    }
}

/// Reports an object that nobody created. The answer says whether the model has its definition.
pub(super) fn needs(schema: &Schema, object: &ObjectKey, report: &mut Report) -> bool {
    match object {
        ObjectKey::Table(name) => report.needs_relation(schema, name) && schema.tables.contains_key(name),
        ObjectKey::View(name) => schema.views.contains_key(name),
        ObjectKey::Sequence(name) if schema.relation_kind(name) == Some("sequence") => schema.sequences.contains_key(name),
        ObjectKey::Sequence(name) => report.needs_sequence(schema, name),
        ObjectKey::Schema(name) => report.needs_schema(schema, name),
        ObjectKey::Type(name) => report.needs_type_name(schema, name),
        _ => false,
    }
}

/// What PostgreSQL calls the object where it asks for its kind.
pub(super) fn object_sql(object: &ObjectKey) -> String {
    let name = match object {
        ObjectKey::Table(name) | ObjectKey::View(name) | ObjectKey::Sequence(name) | ObjectKey::Type(name) => name.quoted(),
        ObjectKey::Schema(name) => name.quoted(),
        other => other.name(),
    };
    // a view has the privileges of a table
    let kind = if matches!(object, ObjectKey::View(_)) { "table" } else { object.kind() };
    format!("{kind} {name}")
}

/// What a person calls it.
pub(super) fn object(object: &ObjectKey) -> String {
    format!("{} `{}`", object.kind(), object.name())
}

/// What gives a recreated object the access that it had.
pub(super) fn restore(object: &ObjectKey, access: &Access) -> Vec<Operation> {
    let owner = access.owner.clone().map(|owner| AlterOwner { object: object.clone(), owner, materialized: false }.into());
    owner.into_iter().chain(grants(object, access.granted(), access)).collect()
}

/// What grants `privileges`, of which `access` knows which may be given to others.
pub(super) fn grants<'a>(
    object: &ObjectKey,
    privileges: impl Iterator<Item = &'a Privilege>,
    access: &Access,
) -> impl Iterator<Item = Operation> {
    let grant = |privilege: &Privilege| {
        let right = Right {
            object: object.clone(),
            action: Name::new(privilege.action.as_str()),
            columns: privilege.column.iter().cloned().collect(),
            role: privilege.role.clone(),
        };
        let grantable = Privilege { grantable: true, ..privilege.clone() };
        Grant { right, grant_option: access.privileges.get(&grantable) == Some(&true) }.into()
    };
    let has = |privilege: &Privilege| access.privileges.get(privilege) == Some(&true);
    let is_needed = |privilege: &&Privilege| {
        let all = Privilege { action: ALL.to_owned(), ..(*privilege).clone() };
        let option = |of: &Privilege| has(&Privilege { grantable: true, ..of.clone() });
        let in_all = privilege.action != ALL && has(&all) && (option(&all) || !option(privilege));
        !privilege.grantable && !in_all
    };
    privileges.filter(is_needed).map(grant).collect::<Vec<_>>().into_iter()
}

#[cfg(feature = "parser")]
pub(super) mod lower {
    use super::Right;
    use crate::lower::{roles, syntax};
    use crate::name::{At, Name};
    use crate::schema::{ALL, ObjectKey};
    use squawk_syntax::ast::{self, AstNode};

    /// One right for each object, role and privilege, so that each is there already or isn't. `None` for what is no object
    /// of the model, and for rights of whoever runs the statement.
    pub(in crate::ops) fn rights(
        privileges: &ast::Privileges,
        on: &ast::OnPrivilegeObjectsClause,
        to: &ast::RoleRefList,
    ) -> Option<Vec<Right>> {
        let (objects, actions) = (objects(&on.privilege_objects()?)?, actions(privileges)?);
        let roles = roles::each(to)?;
        let mut rights = Vec::new();
        for object in &objects {
            for role in &roles {
                for (action, columns) in &actions {
                    let (object, role) = (object.clone(), role.clone());
                    rights.push(Right { object, action: action.clone(), columns: columns.clone(), role });
                }
            }
        }
        Some(rights)
    }

    fn actions(privileges: &ast::Privileges) -> Option<Vec<(Name, Vec<Name>)>> {
        let columns = |list: Option<ast::ColumnRefList>| {
            list.map(|list| list.column_name_refs().map(|column| syntax::name(&column)).collect()).unwrap_or_default()
        };
        match privileges {
            ast::Privileges::AllPrivileges(all) => {
                Some(vec![(Name::written(ALL, syntax::at(all.syntax())), columns(all.column_ref_list()))])
            }
            ast::Privileges::RevokeCommandList(list) => {
                let action = |command: ast::RevokeCommand| {
                    let word = syntax::significant_tokens(command.syntax()).next()?;
                    let action = Name::written(word.text().to_lowercase(), At::new(word.text_range().into()));
                    ACTIONS.contains(&action.as_str()).then(|| (action, columns(command.column_ref_list())))
                };
                list.revoke_commands().map(action).collect()
            }
        }
    }

    /// What may be granted on an object of the model.
    const ACTIONS: &[&str] = &["select", "insert", "update", "delete", "truncate", "references", "trigger", "maintain", "usage", "create"];

    fn objects(objects: &ast::PrivilegeObjects) -> Option<Vec<ObjectKey>> {
        let relation = |it: ast::RelationNameRef| Some(ObjectKey::Table(syntax::path_ref(&it.path_ref()?)?));
        match objects {
            ast::PrivilegeObjects::PrivilegeDefault(it) => it.relation_name_refs().map(relation).collect(),
            ast::PrivilegeObjects::PrivilegeTable(it) => it.relation_name_refs().map(relation).collect(),
            ast::PrivilegeObjects::PrivilegeSequence(it) => {
                it.sequence_refs().map(|it| Some(ObjectKey::Sequence(syntax::path_ref(&it.path_ref()?)?))).collect()
            }
            ast::PrivilegeObjects::PrivilegeSchema(it) => Some(it.schema_refs().map(|it| ObjectKey::Schema(syntax::name(&it))).collect()),
            ast::PrivilegeObjects::PrivilegeType(it) => {
                it.type_name_refs().map(|it| Some(ObjectKey::Type(syntax::path_ref(&it.path_ref()?)?))).collect()
            }
            ast::PrivilegeObjects::PrivilegeDomain(it) => {
                it.domain_refs().map(|it| Some(ObjectKey::Type(syntax::path_ref(&it.path_ref()?)?))).collect()
            }
            _ => None,
        }
    }
}
