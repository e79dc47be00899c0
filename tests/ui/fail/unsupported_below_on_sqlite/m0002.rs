use migrate_runtime::migration;

#[migration(revision = "774225e563ca", parent = "65e4b4ef883d")]
mod touch {
    up! {
        create function touch() returns trigger language plpgsql as r#"begin return new; end"#;
        assert "every book has a title" select bool_and(title <> "") from books;
    }

    down! {
        postgres {
            drop function touch();
        }
        create extension pg_trgm;
    }
}
