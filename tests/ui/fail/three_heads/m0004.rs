use migrate_runtime::migration;

#[migration(revision = "8b52e6f0c91d", parent = "774225e563ca")]
mod authors {
    up! {
        create table authorships (document bigint references documents, author bigint references users);
    }
}
