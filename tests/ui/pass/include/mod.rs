//! A baseline as `pg_dump --schema-only` writes it, and a migration on top of it.

migrate_runtime::migrations! {
    #![allow(all, reason = "the cases are about the language, not about running systems")]

    mod m0001_baseline;
    mod m0002_titles;
}
