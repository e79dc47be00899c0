use migrate_runtime::migration;

#[migration(revision = "774225e563ca", parent = "65e4b4ef883d")]
mod subjects {
    up! {
        create index books_title_idx on books (title);
        postgres {
            create extension pg_trgm;
        }
        create index books_subjects_idx on books using gin (subjects);
    }
}
