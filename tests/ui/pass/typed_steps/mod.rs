//! Names of tables and columns in Rust steps.

migrate_runtime::migrations! {
    mod m0001_documents;
    mod m0002_titles;
}
