use migrate_runtime::migration;

#[migration(revision = "d47310025be2", parent = "774225e563ca")]
mod reviews {
    up! {
        create table reviews (id bigint primary key);
    }
}
