//! Books and who wrote them.

use migrate_runtime::migration;

/// Creates authors and books.
#[migration(revision = "3f1c09a7d2e4")]
mod books {
    up! {
        create table authors (
            id         bigint generated always as identity primary key,
            name       text not null,
            born_on    date
        );

        create table books (
            id         bigint generated always as identity primary key,
            author_id  bigint not null references authors (id) on delete restrict,
            name       text not null,
            isbn       text unique,
            pages      integer check (pages > 0),
            created_at timestamptz not null default now()
        );
        create index books_author_id_idx on books (author_id);
    }
}
