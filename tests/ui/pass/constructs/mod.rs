//! Everything that Rust's lexer and PostgreSQL's do not agree on.

migrate_runtime::migrations! {
    #![allow(all, reason = "these show the language, and run nowhere")]

    mod m0001_constructs;
}
