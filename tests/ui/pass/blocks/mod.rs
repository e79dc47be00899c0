//! What is ours and no SQL: declarations, blocks, conditions, functions.

migrate_runtime::migrations! {
    #![allow(all, reason = "the cases are about the language, not about running systems")]

    mod m0001_tables;
    mod m0002_titles;
}
