use migrate_runtime::migration;

#[migration(revision = "774225e563ca", parent = "65e4b4ef883d")]
mod contents {
    up! {
        create table reviews (document bigint references documents);
        alter table documents rename column body to content;
    }
}
