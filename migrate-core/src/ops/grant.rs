//! `grant`.
//!
//! - **SQL**: `grant select, insert on documents to app`, one operation for each object, role and privilege
//! - **Lock**: none on tables
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: `revoke`, of what the role didn't have before
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `GRANT`

use super::access::{self, Right};
use crate::effects::Effects;
use crate::operation::{Inverse, Operate};
use crate::ops::Revoke;
use crate::report::Report;
use crate::schema::{EVERYBODY, ObjectKey, Origin, Privilege, Schema};
use serde::{Deserialize, Serialize};

/// Gives a role a privilege.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Which, and to whom.
    #[serde(flatten)]
    pub right: Right,
    /// `with grant option`: the role may give it to others.
    #[serde(default)]
    pub grant_option: bool,
}

impl Grant {
    fn privileges(&self) -> Vec<Privilege> {
        let grantable = if self.grant_option { self.right.privileges(true) } else { Vec::new() };
        self.right.privileges(false).into_iter().chain(grantable).collect()
    }
}

impl Operate for Grant {
    fn describe(&self) -> String {
        format!("grant {} to `{}`", self.right.describe(), self.right.role)
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
        if self.grant_option && self.right.role.as_str() == EVERYBODY {
            report.problem(self.right.role.at, "`public` can't have a grant option: everybody is nobody in particular").help =
                Some("leave out `with grant option`, or name a role".to_owned());
        }
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        if let Some(access) = schema.access_mut(&self.right.object) {
            access.privileges.extend(self.privileges().into_iter().map(|privilege| (privilege, true)));
        }
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects::default()
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        let revoke = |option_only| Revoke { right: self.right.clone(), option_only, cascade: false }.into();
        let Some(access) = before.access(&self.right.object) else { return Ok(vec![revoke(false)]) };
        let had = |privilege: &Privilege| access.privileges.get(privilege) == Some(&true);
        if self.privileges().iter().all(had) {
            return Ok(Vec::new());
        }
        let kept: Vec<_> = self.right.privileges(false).into_iter().filter(had).collect();
        if kept.len() == self.right.privileges(false).len() {
            return Ok(vec![revoke(true)]);
        }
        Ok(std::iter::once(revoke(false)).chain(access::grants(&self.right.object, kept.iter(), access)).collect())
    }

    fn render(&self) -> Vec<String> {
        let option = if self.grant_option { " with grant option" } else { "" };
        vec![format!("grant {} to {}{option}", self.right.sql(), self.right.role.quoted())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::Grant;
    use crate::operation::Operation;
    use crate::ops::access;
    use squawk_syntax::ast;

    impl Grant {
        /// `None` for roles as such, and for what is granted in the name of another role.
        pub(crate) fn lower(statement: &ast::Grant) -> Option<Vec<Operation>> {
            if statement.granted_by_clause().is_some() {
                return None;
            }
            let grant_option = match statement.grant_with_clause() {
                None => false,
                Some(clause) => clause.grant_option().is_some().then_some(true)?,
            };
            let on = statement.on_privilege_objects_clause()?;
            let rights = access::lower::rights(&statement.privileges()?, &on, &statement.role_ref_list()?)?;
            Some(rights.into_iter().map(|right| Self { right, grant_option }.into()).collect())
        }
    }
}
