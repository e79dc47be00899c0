use migrate_runtime::migration;

#[migration(revision = "774225e563ca", parent = "65e4b4ef883d")]
mod titles {
    up! {
        alter table documents add column title text;
    }
}
