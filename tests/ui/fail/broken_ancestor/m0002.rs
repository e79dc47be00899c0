use migrate_runtime::migration;

#[migration(revision = "774225e563ca", parent = "65e4b4ef883d")]
mod documents {
    up! {
        alter table users alter column email drop not null;
        alter table managers add column level integer;
    }
}
