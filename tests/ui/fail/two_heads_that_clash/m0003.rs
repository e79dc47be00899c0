use migrate_runtime::migration;

#[migration(revision = "d47310025be2", parent = "65e4b4ef883d")]
mod bodies {
    up! {
        alter table users add column name text;
        alter table documents alter column body set not null;
        create index on documents (body);
    }
}
