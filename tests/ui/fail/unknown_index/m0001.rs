use migrate_runtime::migration;

/// Creates the first tables.
#[migration(revision = "1")]
mod baseline {
    up! {
        create table users (
            id    bigint generated always as identity primary key,
            email text not null unique
        );
        create table documents (
            id       uuid primary key default gen_random_uuid(),
            owner_id bigint not null references users (id),
            title    text not null,
            body     text
        );
        create index documents_title_idx on documents (title);
        create index concurrently on documents (owner_id);
    }
}
