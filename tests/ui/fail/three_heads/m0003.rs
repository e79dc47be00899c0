use migrate_runtime::migration;

#[migration(revision = "d47310025be2", parent = "774225e563ca")]
mod names {
    up! {
        alter table users add column name text;
    }
}
