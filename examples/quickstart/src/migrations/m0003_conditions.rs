//! How worn a book is.

use migrate_runtime::migration;

/// Adds the condition of a book: new, used or worn.
#[migration(revision = "c7d40b83a5f6", parent = "8b52e6f0c91d")]
mod conditions {
    up! {
        create type book_condition as enum ("new", "used", "worn");
        alter table books add column condition book_condition not null default "new";
        alter table loans add column note text;
    }
}
