//! `btree_on_jsonb`: an index that no query of what is in a document can use.
//!
//! - **Finds**: a b-tree index on a `jsonb` column
//! - **Blocks**: inserts and updates of documents that are larger than a third of a page: they fail with SQLSTATE 54000
//! - **Instead**: `using gin`, or a b-tree on the value in question: `((document ->> 'key'))`
//! - **Source**: PostgreSQL manual, "jsonb Indexing"; "B-Tree Indexes", Limits

use super::{Context, Findings, Lint};
use crate::data_type::BaseType;
use crate::operation::Operation;
use crate::schema::IndexKeyKind;

pub(super) const LINT: Lint = Lint::of_statement("btree_on_jsonb", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::CreateIndex(create)) = context.operation() else { return };
    if create.index.method != "btree" {
        return;
    }
    for key in &create.index.keys {
        let IndexKeyKind::Column(name) = &key.kind else { continue };
        let Some(column) = context.before().column(&create.table, name.as_str()) else { continue };
        if column.data_type.array || !matches!(&column.data_type.base, BaseType::Builtin(base) if base == "jsonb") {
            continue;
        }
        findings
            .find(name.at, format!("a b-tree compares whole documents of `{name}`, and holds none of more than 2704 bytes"))
            .note("no query of a key or a value inside of the document can use it".to_owned())
            .instead(format!("write `using gin ({name})`, or `(({name} ->> 'key'))` for the value of one key"));
    }
}
