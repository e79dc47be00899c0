//! `alter … owner to`, of a relation, a schema or a type.
//!
//! - **SQL**: `alter table documents owner to app`
//! - **Lock**: access exclusive on the relation
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: the owner before, where a migration said who that is
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `OWNER TO`

use super::access;
use crate::effects::{Effects, LockMode};
use crate::name::Name;
use crate::operation::{Inverse, NoInverse, Operate};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Gives an object to a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlterOwner {
    /// The object. Any relation is a table until it is bound.
    pub object: ObjectKey,
    /// Its new owner.
    pub owner: Name,
    /// Whether it is a materialized view, once bound.
    #[serde(default)]
    pub materialized: bool,
}

impl Operate for AlterOwner {
    fn describe(&self) -> String {
        format!("give {} to `{}`", access::object(&self.object), self.owner)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        Vec::new()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![self.object.clone()]
    }

    fn bind(&mut self, schema: &Schema) {
        access::bind(&mut self.object, schema);
        if let ObjectKey::View(name) = &self.object {
            self.materialized = schema.views.get(name).map_or(self.materialized, |view| view.materialized);
        }
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        access::needs(schema, &self.object, report);
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        if let Some(access) = schema.access_mut(&self.object) {
            access.owner = Some(self.owner.clone());
        }
        // what its columns own goes with it
        if let ObjectKey::Table(table) = &self.object {
            let owned = schema.sequences.values_mut().filter(|it| it.owned_by.as_ref().is_some_and(|(owner, _)| owner == table));
            owned.for_each(|sequence| sequence.access.owner = Some(self.owner.clone()));
        }
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        let locks = match &self.object {
            ObjectKey::Table(name) | ObjectKey::View(name) | ObjectKey::Sequence(name) => Effects::lock(name, LockMode::AccessExclusive),
            _ => Effects::default(),
        };
        Effects { breaks_readers: true, ..locks }
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        match before.access(&self.object).and_then(|access| access.owner.clone()) {
            Some(owner) if owner == self.owner => Ok(Vec::new()),
            Some(owner) => Ok(vec![Self { owner, ..self.clone() }.into()]),
            None => Err(NoInverse::because(format!("no migration says who owned {} before", access::object(&self.object)))),
        }
    }

    fn render(&self) -> Vec<String> {
        let (kind, name) = match &self.object {
            ObjectKey::View(name) if self.materialized => ("materialized view", name.quoted()),
            ObjectKey::Table(name) | ObjectKey::View(name) | ObjectKey::Sequence(name) | ObjectKey::Type(name) => {
                (self.object.kind(), name.quoted())
            }
            ObjectKey::Schema(name) => ("schema", name.quoted()),
            other => (other.kind(), other.name()),
        };
        vec![format!("alter {kind} {name} owner to {}", self.owner.quoted())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::AlterOwner;
    use crate::lower::roles;
    use crate::schema::ObjectKey;
    use squawk_syntax::ast;

    impl AlterOwner {
        /// `None` for whoever runs the statement.
        pub(crate) fn lower(object: ObjectKey, action: &ast::OwnerTo) -> Option<Self> {
            Some(Self { object, owner: roles::role(&action.role_ref()?)?, materialized: false })
        }
    }
}
