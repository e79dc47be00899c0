//! Everything that Rust's lexer and PostgreSQL's do not agree on.

migrate_runtime::migrations! {
    mod m0001_constructs;
}
