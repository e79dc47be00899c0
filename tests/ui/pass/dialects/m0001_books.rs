use migrate_runtime::migration;

#[migration(revision = "1")]
mod books {
    up! {
        create type book_condition as enum ("new", "worn");
        create table books (
            id        bigint generated always as identity primary key,
            title     text not null,
            condition book_condition not null default "new",
            added_at  timestamptz not null default now()
        );
        postgres {
            alter table books add column search tsvector;
        }
    }
}
