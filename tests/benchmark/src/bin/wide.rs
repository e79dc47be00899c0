//! Applies one migration of 500 operations: what the benchmark times against psql.

mod migrations {
    //! The chain.

    /// All of `wide.sql`.
    #[migrate_runtime::migration(revision = "wide")]
    mod wide {
        up! {
            #[allow(foreign_key_without_index, prefer_text_field, reason = "only the time that it takes matters")]
            include "../../wide.sql";
        }
    }

    /// The chain.
    pub const MIGRATIONS: migrate_runtime::Migrations = migrate_runtime::Migrations::new(&[MIGRATION]);
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> migrate_runtime::Result<()> {
    let url = std::env::var("DATABASE_URL").unwrap_or_default();
    migrations::MIGRATIONS.up(url.as_str()).await.map(drop)
}
