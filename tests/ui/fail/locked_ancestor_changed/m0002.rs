use migrate_runtime::migration;

#[migration(revision = "774225e563ca", parent = "65e4b4ef883d")]
mod posts {
    up! {
        // What it refers to is another column now, but that is told once, where it was changed.
        create table posts (id bigint primary key, author bigint references users);
    }
}
