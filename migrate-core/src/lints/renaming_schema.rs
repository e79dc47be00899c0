//! `renaming_schema`: a schema has another name from the commit on, while a release that knows the old one is still
//! running.
//!
//! - **Finds**: `alter schema … rename to` of a schema that was there before
//! - **Blocks**: nothing; but queries that name the schema fail from the commit on, and names without one are no
//!   longer found by the old `search_path`
//! - **Instead**: create a schema of the new name, with views of what is in the old one, and move the tables when no
//!   release names the old one
//! - **Source**: PostgreSQL manual, `ALTER SCHEMA`

use super::{Context, Findings, Lint};
use crate::operation::Operation;
use crate::schema::ObjectKey;

pub(super) const LINT: Lint = Lint::of_statement("renaming_schema", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::RenameSchema(rename)) = context.operation() else { return };
    let schema = &rename.name;
    if context.is_new(&ObjectKey::Schema(schema.clone())) {
        return;
    }
    let to = rename.to.quoted();
    findings
        .find(schema.at, format!("queries of a running release that name `{schema}` fail from the commit on"))
        .instead(format!("`create schema {to}` with views of what is in `{schema}`, and move the tables when no release names that"));
}
