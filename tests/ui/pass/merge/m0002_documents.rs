use migrate_runtime::migration;

#[migration(revision = "774225e563ca", parent = "65e4b4ef883d")]
mod documents {
    up! {
        create table documents (id uuid primary key, owner_id bigint references users);
    }
}
