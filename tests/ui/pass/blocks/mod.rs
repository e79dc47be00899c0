//! What is ours and no SQL: declarations, blocks, conditions, functions.

migrate_runtime::migrations! {
    mod m0001_tables;
    mod m0002_titles;
}
