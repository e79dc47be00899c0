//! `redundant_index`: an index whose columns another one begins with.
//!
//! - **Finds**: a new b-tree index that is not unique, and whose keys are the first keys of another one at the end of the
//!   migration; or a new one that makes an older one redundant in that way
//! - **Blocks**: nothing; every write keeps both, and the longer one serves the same queries
//! - **Instead**: keep the longer one alone, and drop the shorter one with `drop index concurrently`
//! - **Source**: PostgreSQL manual, "Multicolumn Indexes"; PostgreSQL wiki, "Index Maintenance"

use super::{Context, Findings, Lint, duplicate_index, indexes};
use crate::schema::ObjectKey;

pub(super) const LINT: Lint = Lint::of_history("redundant_index", check).warns();

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (table, name) in duplicate_index::added(context) {
        let Some(end) = context.end().table(table) else { continue };
        let all = indexes::of_table(end);
        let Some(new) = all.iter().find(|access| access.name == name) else { continue };
        let at = if name.at.end > 0 { name.at } else { context.place() };
        let maker = |other: &indexes::Access<'_>| {
            let key = ObjectKey::Index(table.sibling(other.name.clone()));
            context.creator(&key).map(|place| format!("`{}` was created by {place}", other.name))
        };
        if let Some(longer) = all.iter().find(|other| !new.unique && new.is_prefix_of(other)) {
            findings
                .find(at, format!("`{}` begins with the columns of `{name}`, and serves the same queries", longer.name))
                .maybe_note(maker(longer))
                .instead(format!("leave `{name}` out"));
        } else if let Some(shorter) = all.iter().find(|other| !other.unique && other.is_prefix_of(new)) {
            let is_old = context.start().table(table).is_some_and(|start| start.indexes.contains_key(shorter.name));
            if is_old {
                findings
                    .find(at, format!("`{name}` begins with the columns of `{}`, which nothing needs any more", shorter.name))
                    .maybe_note(maker(shorter))
                    .instead(format!("add `drop index concurrently {}` to the migration", table.sibling(shorter.name.clone()).quoted()));
            }
        }
    }
}
