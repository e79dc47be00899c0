use migrate_runtime::migration;

#[migration(revision = "d47310025be2", parent = "65e4b4ef883d")]
mod reviews {
    up! {
        create table reviews (id bigint primary key);
    }
}
