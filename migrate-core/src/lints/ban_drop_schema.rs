//! `ban_drop_schema`: a schema goes with everything in it, named or not.
//!
//! - **Finds**: `drop schema … cascade` of a schema that was there before
//! - **Blocks**: nothing for long; but all tables in it are lost with their data, those that other chains made
//!   included
//! - **Instead**: drop what has to go by its name, and the schema without `cascade`, which fails where something is
//!   left
//! - **Source**: PostgreSQL manual, `DROP SCHEMA`

use super::{Context, Findings, Lint};
use crate::operation::Operation;
use crate::schema::ObjectKey;

pub(super) const LINT: Lint = Lint::of_statement("ban_drop_schema", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::DropSchema(drop)) = context.operation() else { return };
    if drop.cascade && context.is_old(&ObjectKey::Schema(drop.name.clone())) {
        findings
            .find(drop.name.at, format!("everything in `{}` goes with its data, whether this chain made it or not", drop.name))
            .instead(format!("drop what has to go by its name, and then `{}` without `cascade`", drop.name));
    }
}
