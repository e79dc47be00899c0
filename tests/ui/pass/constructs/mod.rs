//! Everything that Rust's lexer and PostgreSQL's do not agree on.

migrate_runtime::migrations! {
    #![allow(all, reason = "the cases are about the language, not about running systems")]

    mod m0001_constructs;
}
