//! A chain for both kinds of database.

migrate_runtime::migrations! {
    dialects: [postgres, sqlite];

    mod m0001_books;
    mod m0002_search;
}
