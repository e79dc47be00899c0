//! `security_definer_without_search_path`: whoever calls a function decides what its names mean, and it runs with its owner's rights.
//!
//! - **Finds**: a function or procedure with `security definer` and without `set search_path`
//! - **Blocks**: nothing; a caller who may create objects in any schema, or temporary ones, puts his own in the place of those that
//!   the function means, and has them run with the owner's rights
//! - **Instead**: `set search_path = pg_catalog, pg_temp`, and schemas before all names in the body
//! - **Source**: PostgreSQL manual, `CREATE FUNCTION`, "Writing SECURITY DEFINER Functions Safely"; CVE-2018-1058

use super::{Context, Findings, Lint, functions};

pub(super) const LINT: Lint = Lint::of_statement("security_definer_without_search_path", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(function) = functions::created(context).filter(|function| !function.has_search_path) else { return };
    let Some(at) = function.definer else { return };
    findings
        .find(at, format!("whoever calls `{}` decides what its names mean, and it runs with its owner's rights", function.name))
        .instead("add `set search_path = pg_catalog, pg_temp`, and write schemas before the names in the body");
}
