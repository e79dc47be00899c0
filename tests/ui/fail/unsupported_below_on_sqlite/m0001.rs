use migrate_runtime::migration;

#[migration(revision = "65e4b4ef883d")]
mod books {
    up! {
        create table books (id bigint generated always as identity primary key, title text not null, subjects jsonb);
    }
}
