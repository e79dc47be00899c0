//! Who owns an object, and who may do what with it: as far as the migrations said.

use super::{ObjectKey, Schema};
use crate::name::{DEFAULT_SCHEMA, Name};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is known of the owner and the privileges of an object. What no migration stated may be any way.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Access {
    /// Its owner.
    pub owner: Option<Name>,
    /// Whether a role has a privilege. A role without an entry may or may not have it.
    #[serde(with = "as_list")]
    pub privileges: BTreeMap<Privilege, bool>,
}

/// What a role may do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Privilege {
    /// Who: `public` is everybody.
    pub role: Name,
    /// What: `select`, `usage`.
    pub action: String,
    /// With which column only.
    #[serde(default)]
    pub column: Option<Name>,
    /// Whether it is about giving the privilege to others.
    #[serde(default)]
    pub grantable: bool,
}

impl Privilege {
    /// What [`Definition`](super::Definition) calls it.
    #[must_use]
    pub fn aspect(&self) -> String {
        let column = self.column.as_ref().map(|column| format!(" ({})", column.quoted())).unwrap_or_default();
        let option = if self.grantable { "grant option of " } else { "" };
        format!("{PREFIX}{option}{}{column} to {}", self.action, self.role.quoted())
    }
}

/// The action that stands for everything: what that is depends on the version of PostgreSQL.
pub const ALL: &str = "all";

/// How the aspects of privileges begin.
const PREFIX: &str = "privilege: ";

/// The aspect of the owner.
pub(super) const OWNER: &str = "owner";

/// What a privilege is that a role has.
pub(super) const GRANTED: &str = "granted";

/// What a privilege is that a role doesn't have. A live database doesn't list those.
pub(super) const NOT_GRANTED: &str = "not granted";

/// Whether an aspect is about access: it is compared only where a migration stated it.
#[must_use]
pub fn is_about_access(aspect: &str) -> bool {
    aspect == OWNER || aspect.starts_with(PREFIX)
}

/// Whether an aspect is about a privilege. A live object without such a fact doesn't grant it.
#[must_use]
pub fn is_about_privilege(aspect: &str) -> bool {
    aspect.starts_with(PREFIX)
}

/// Whether a fact says that a privilege is not granted.
#[must_use]
pub fn denies(value: &str) -> bool {
    value == NOT_GRANTED
}

impl Access {
    /// Whether nothing is known, or nothing but what roles don't have.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.owner.is_none() && self.granted().next().is_none()
    }

    /// The privileges that roles have.
    pub fn granted(&self) -> impl Iterator<Item = &Privilege> {
        self.privileges.iter().filter(|(_, granted)| **granted).map(|(privilege, _)| privilege)
    }

    /// A column has another name.
    pub fn rename_column(&mut self, from: &str, to: &Name) {
        for (mut privilege, granted) in std::mem::take(&mut self.privileges) {
            if privilege.column.as_ref().is_some_and(|column| column.as_str() == from) {
                privilege.column = Some(to.clone());
            }
            self.privileges.insert(privilege, granted);
        }
    }

    /// A column is gone.
    pub fn remove_column(&mut self, name: &str) {
        self.privileges.retain(|privilege, _| privilege.column.as_ref().is_none_or(|column| column.as_str() != name));
    }
}

/// The privileges that `all` stands for in every version of PostgreSQL: on an object, or on columns of it.
#[must_use]
pub fn all_privileges(object: &ObjectKey, columns: bool) -> &'static [&'static str] {
    match object {
        ObjectKey::Table(_) | ObjectKey::View(_) if columns => &["select", "insert", "update", "references"],
        ObjectKey::Table(_) | ObjectKey::View(_) => &["select", "insert", "update", "delete", "truncate", "references", "trigger"],
        ObjectKey::Sequence(_) => &["usage", "select", "update"],
        ObjectKey::Schema(_) => &["usage", "create"],
        ObjectKey::Type(_) => &["usage"],
        _ => &[],
    }
}

/// The access that a live database has, to every object. It is no part of what makes two schemas equal: what counts is what
/// migrations state.
#[derive(Clone, Debug, Default)]
pub struct Observed(pub BTreeMap<ObjectKey, Access>);

impl PartialEq for Observed {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for Observed {}

/// What a role doesn't have is no difference to what nobody said it has.
impl PartialEq for Access {
    fn eq(&self, other: &Self) -> bool {
        self.owner == other.owner && self.granted().eq(other.granted())
    }
}
impl Eq for Access {}

impl Schema {
    /// What is known of the access to an object; `None` if it isn't there, or has none of its own.
    #[must_use]
    pub fn access(&self, key: &ObjectKey) -> Option<&Access> {
        if let Some(observed) = self.observed.0.get(key) {
            return Some(observed);
        }
        Some(match key {
            ObjectKey::Schema(name) if name.as_str() == DEFAULT_SCHEMA => &self.default_access,
            ObjectKey::Schema(name) => &self.schemas.get(name)?.access,
            ObjectKey::Table(name) => &self.tables.get(name)?.access,
            ObjectKey::View(name) => &self.views.get(name)?.access,
            ObjectKey::Sequence(name) => &self.sequences.get(name)?.access,
            ObjectKey::Type(name) => {
                let of_enum = self.enums.get(name).map(|it| &it.access);
                let of_domain = || self.domains.get(name).map(|it| &it.access);
                of_enum.or_else(of_domain).or_else(|| self.composites.get(name).map(|it| &it.access))?
            }
            _ => return None,
        })
    }

    /// The same, to change it.
    pub fn access_mut(&mut self, key: &ObjectKey) -> Option<&mut Access> {
        Some(match key {
            ObjectKey::Schema(name) if name.as_str() == DEFAULT_SCHEMA => &mut self.default_access,
            ObjectKey::Schema(name) => &mut self.schemas.get_mut(name)?.access,
            ObjectKey::Table(name) => &mut self.tables.get_mut(name)?.access,
            ObjectKey::View(name) => &mut self.views.get_mut(name)?.access,
            ObjectKey::Sequence(name) => &mut self.sequences.get_mut(name)?.access,
            ObjectKey::Type(name) if self.enums.contains_key(name) => &mut self.enums.get_mut(name)?.access,
            ObjectKey::Type(name) if self.domains.contains_key(name) => &mut self.domains.get_mut(name)?.access,
            ObjectKey::Type(name) => &mut self.composites.get_mut(name)?.access,
            _ => return None,
        })
    }
}

/// A map whose keys are no strings, as an array of pairs.
mod as_list {
    use super::Privilege;
    use serde::{Deserialize, Deserializer, Serializer};
    use std::collections::BTreeMap;

    pub fn serialize<S: Serializer>(map: &BTreeMap<Privilege, bool>, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(map)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<BTreeMap<Privilege, bool>, D::Error> {
        Ok(Vec::<(Privilege, bool)>::deserialize(d)?.into_iter().collect())
    }
}
