//! `mixed_case_name`: a name has to be written in quotes wherever it is used.
//!
//! - **Finds**: a new table, column, view, type, sequence, index or schema whose name isn't made of small letters,
//!   digits and `_`
//! - **Blocks**: nothing; without the quotes PostgreSQL folds the name to small letters, and doesn't find it
//! - **Instead**: small letters, digits and `_`
//! - **Source**: PostgreSQL wiki, "Don't Do This", "Don't use upper case table or column names"; PostgreSQL manual,
//!   "Identifiers and Key Words"

use super::{Context, Findings, Lint, columns};
use crate::name::Name;
use crate::operation::{Operate, Operation};
use crate::schema::ObjectKey;

pub(super) const LINT: Lint = Lint::of_statement("mixed_case_name", check).warns();

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(operation) = context.operation() else { return };
    let mut names: Vec<Name> = match operation {
        Operation::Opaque(opaque) => opaque.creates.iter().map(|(_, name)| name.name.clone()).collect(),
        operation => operation.touches().into_iter().filter(|key| context.before().definition(key).is_none()).filter_map(named).collect(),
    };
    if let Operation::CreateTable(_) = operation {
        names.extend(columns::added(context).into_iter().map(|column| column.name.clone()));
    }
    // what PostgreSQL names itself stands nowhere
    for name in names.into_iter().filter(|name| name.at.end > name.at.start && needs_quotes(name.as_str())) {
        findings
            .find(name.at, format!("{} has to be in quotes wherever it is used", name.quoted()))
            .instead(format!("write `{}`", plain(name.as_str())));
    }
}

fn named(key: ObjectKey) -> Option<Name> {
    match key {
        ObjectKey::Schema(name) | ObjectKey::Column(_, name) => Some(name),
        ObjectKey::Table(name) | ObjectKey::Index(name) | ObjectKey::Type(name) | ObjectKey::Sequence(name) | ObjectKey::View(name) => {
            Some(name.name)
        }
        _ => None,
    }
}

fn needs_quotes(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '$') || !c.is_ascii();
    !name.chars().all(fits) || name.starts_with(|c: char| c.is_ascii_digit())
}

/// `documentTitle` as `document_title`.
fn plain(name: &str) -> String {
    let mut plain = String::new();
    for c in name.chars() {
        let begins_word = c.is_ascii_uppercase() && plain.ends_with(|last: char| last.is_ascii_lowercase() || last.is_ascii_digit());
        if begins_word {
            plain.push('_');
        }
        plain.push(if c.is_ascii_alphanumeric() || !c.is_ascii() { c.to_ascii_lowercase() } else { '_' });
    }
    plain
}
