//! What is ours and no SQL: declarations, blocks, conditions, functions.

migrate_runtime::migrations! {
    #![allow(all, reason = "these show the language, and run nowhere")]

    mod m0001_tables;
    mod m0002_titles;
}
