use migrate_runtime::migration;

#[migration(revision = "774225e563ca", parent = "65e4b4ef883d")]
mod contents {
    up! {
        alter table documents rename column body to content;
        alter table documents drop column size;
        drop table drafts;
    }
}
