//! Books have titles, authors have names.

use migrate_runtime::migration;

/// Calls the name of a book its title, and doesn't let it be empty.
#[migration(revision = "e90a16bd74c8", parent = "c7d40b83a5f6")]
mod titles {
    up! {
        alter table books rename column name to title;
        create index books_title_idx on books (title);
        alter table books alter column pages type bigint;
        alter table authors alter column name set default "unknown";
        alter table books add constraint books_title_check check (title <> "");
    }
}
