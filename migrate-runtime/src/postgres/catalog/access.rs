//! Who owns what and who may do what with it, of a live database.

use migrate_core::name::{Name, QualifiedName};
use migrate_core::schema::{EVERYBODY, ObjectKey, Observed, Privilege, all_privileges};
use serde::Deserialize;

/// The access to an object, or what is granted on one of its columns.
#[derive(Debug, Deserialize)]
pub(super) struct AccessRow {
    kind: String,
    schema: Name,
    name: Name,
    column: Option<Name>,
    owner: Name,
    /// None where nothing was ever granted or revoked: then everything is as PostgreSQL has it by default.
    privileges: Option<Vec<PrivilegeRow>>,
}

#[derive(Debug, Deserialize)]
struct PrivilegeRow {
    role: Name,
    action: String,
    grantable: bool,
}

impl AccessRow {
    pub(super) fn add_to(self, observed: &mut Observed) {
        let name = QualifiedName::new(self.schema, self.name.clone());
        let key = match self.kind.as_str() {
            "schema" => ObjectKey::Schema(self.name),
            "sequence" => ObjectKey::Sequence(name),
            "type" => ObjectKey::Type(name),
            "view" => ObjectKey::View(name),
            _ => ObjectKey::Table(name),
        };
        let privileges = self.privileges.unwrap_or_else(|| default_privileges(&key, &self.owner));
        let access = observed.0.entry(key).or_default();
        access.owner = Some(self.owner);
        for PrivilegeRow { role, action, grantable } in privileges {
            let privilege = Privilege { role, action, column: self.column.clone(), grantable: false };
            if grantable {
                access.privileges.insert(Privilege { grantable, ..privilege.clone() }, true);
            }
            access.privileges.insert(privilege, true);
        }
    }
}

/// `acldefault`: all for the owner, and types for everybody.
fn default_privileges(key: &ObjectKey, owner: &Name) -> Vec<PrivilegeRow> {
    let row = |role: &Name, action: &str| PrivilegeRow { role: role.clone(), action: action.to_owned(), grantable: false };
    let everybody = matches!(key, ObjectKey::Type(_)).then(|| row(&Name::new(EVERYBODY), "usage"));
    all_privileges(key, false).iter().map(|action| row(owner, action)).chain(everybody).collect()
}
