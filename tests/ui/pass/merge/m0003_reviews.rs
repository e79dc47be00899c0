use migrate_runtime::migration;

#[migration(revision = "d47310025be2", parents = ["65e4b4ef883d"])]
mod reviews {
    up! {
        create table reviews (id bigint primary key, author_id bigint references users (id) on delete set null);
    }
}
