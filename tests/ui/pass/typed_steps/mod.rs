//! Names of tables and columns in Rust steps.

migrate_runtime::migrations! {
    #![allow(all, reason = "the cases are about the language, not about running systems")]

    mod m0001_documents;
    mod m0002_titles;
}
