//! `revoke`.
//!
//! - **SQL**: `revoke insert on documents from app`, one operation for each object, role and privilege
//! - **Lock**: none on tables
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: `grant`, where the role had it; whether that is so of what no migration granted, the live database tells, but
//!   not of `all` at once
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `REVOKE`

use super::access::{self, Right};
use crate::effects::Effects;
use crate::operation::{Inverse, NoInverse, Operate};
use crate::ops::Grant;
use crate::report::Report;
use crate::schema::{ALL, Access, ObjectKey, Origin, Privilege, Schema};
use serde::{Deserialize, Serialize};

/// Takes a privilege from a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoke {
    /// Which, and from whom.
    #[serde(flatten)]
    pub right: Right,
    /// `grant option for`: the role keeps it, but may not give it to others.
    #[serde(default)]
    pub option_only: bool,
    /// `cascade`: those that the role gave it to lose it, too.
    #[serde(default)]
    pub cascade: bool,
}

impl Revoke {
    fn change(&self, access: &mut Access) {
        let gone = |privilege: &Privilege| {
            let of_right = privilege.role == self.right.role && (privilege.grantable || !self.option_only);
            // what is taken from the whole is taken from each column
            let whole = self.right.columns.is_empty();
            let action = self.right.action.as_str() == ALL || self.right.action.as_str() == privilege.action;
            // without one of them it is no longer all
            let columns = whole || privilege.column.as_ref().is_some_and(|column| self.right.columns.contains(column));
            of_right && columns && (action || privilege.action == ALL)
        };
        for (_, granted) in access.privileges.iter_mut().filter(|(privilege, _)| gone(privilege)) {
            *granted = false;
        }
        let plain = if self.option_only { Vec::new() } else { self.right.privileges(false) };
        access.privileges.extend(plain.into_iter().chain(self.right.privileges(true)).map(|privilege| (privilege, false)));
    }

    /// Whether no migration has said of some of it whether the role has it.
    fn takes_unknown(&self, access: &Access) -> bool {
        self.right.privileges(self.option_only).iter().any(|privilege| !access.privileges.contains_key(privilege))
    }
}

impl Operate for Revoke {
    fn describe(&self) -> String {
        let option = if self.option_only { "the grant option of " } else { "" };
        format!("revoke {option}{} from `{}`", self.right.describe(), self.right.role)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        self.right.requires()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![self.right.object.clone()]
    }

    fn bind(&mut self, schema: &Schema) {
        access::bind(&mut self.right.object, schema);
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        self.right.check(schema, report);
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        if let Some(access) = schema.access_mut(&self.right.object) {
            self.change(access);
        }
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects { breaks_readers: !self.option_only, ..Effects::default() }
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        let unknown = || format!("which privileges on {} `{}` had before isn't known", access::object(&self.right.object), self.right.role);
        let Some(access) = before.access(&self.right.object) else { return Err(NoInverse::because(unknown())) };
        let mut after = access.clone();
        self.change(&mut after);
        let lost: Vec<Privilege> = access.granted().filter(|privilege| after.privileges.get(privilege) == Some(&false)).cloned().collect();
        let mut restored: Vec<Privilege> = lost.iter().map(|privilege| Privilege { grantable: false, ..privilege.clone() }).collect();
        restored.dedup();
        let grants = access::grants(&self.right.object, restored.iter(), access);
        if !self.takes_unknown(access) {
            return Ok(grants.collect());
        }
        // with one privilege alone, what the database had is what was taken
        if self.right.action.as_str() == ALL || self.right.columns.len() > 1 || !lost.is_empty() {
            return Err(NoInverse::because(unknown()));
        }
        // it was there, or nothing was run
        let grant = Grant { right: self.right.clone(), grant_option: self.option_only };
        Ok(vec![grant.into()])
    }

    fn render(&self) -> Vec<String> {
        let option = if self.option_only { "grant option for " } else { "" };
        let cascade = if self.cascade { " cascade" } else { "" };
        vec![format!("revoke {option}{} from {}{cascade}", self.right.sql(), self.right.role.quoted())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::Revoke;
    use crate::operation::Operation;
    use crate::ops::access;
    use squawk_syntax::ast;

    impl Revoke {
        /// `None` for roles as such, and for what was granted in the name of another role.
        pub(crate) fn lower(statement: &ast::Revoke) -> Option<Vec<Operation>> {
            if statement.granted_by_clause().is_some() {
                return None;
            }
            let option_only = match statement.revoke_option_for() {
                None => false,
                Some(ast::RevokeOptionFor::GrantOptionFor(_)) => true,
                Some(_) => return None,
            };
            let cascade = matches!(statement.drop_behavior(), Some(ast::DropBehavior::Cascade(_)));
            let on = statement.on_privilege_objects_clause()?;
            let rights = access::lower::rights(&statement.privileges()?, &on, &statement.role_ref_list()?)?;
            Some(rights.into_iter().map(|right| Self { right, option_only, cascade }.into()).collect())
        }
    }
}
