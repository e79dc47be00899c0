//! A baseline as `pg_dump --schema-only` writes it, and a migration on top of it.

migrate_runtime::migrations! {
    #![allow(all, reason = "these show the language, and run nowhere")]

    mod m0001_baseline;
    mod m0002_titles;
}
