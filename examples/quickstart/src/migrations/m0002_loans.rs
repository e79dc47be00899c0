//! Who has which book.

use migrate_runtime::migration;

/// Adds members and their loans.
#[migration(revision = "8b52e6f0c91d", parent = "3f1c09a7d2e4")]
mod loans {
    up! {
        create table members (
            id         bigint generated always as identity primary key,
            email      text not null unique,
            name       text not null
        );

        create table loans (
            book_id     bigint not null references books (id) on delete cascade,
            member_id   bigint not null references members (id) on delete cascade,
            lent_on     date not null default current_date,
            returned_on date,
            primary key (book_id, member_id, lent_on),
            check (returned_on >= lent_on)
        );
        // A book is lent to one member at a time.
        create unique index loans_open_key on loans (book_id) where returned_on is null;
    }
}
