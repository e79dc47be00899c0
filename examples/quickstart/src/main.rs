//! The `migrate` command of a small library: `cargo run --bin migrate -- up`.
//!
//! It works on `quickstart.db`, or on the database that `DATABASE_URL` names, SQLite or PostgreSQL.

mod migrations;

migrate_runtime::main!(migrations, default = "sqlite://quickstart.db");
