//! A chain for both kinds of database.

migrate_runtime::migrations! {
    #![allow(all, reason = "these show the language, and run nowhere")]

    dialects: [postgres, sqlite];

    mod m0001_books;
    mod m0002_search;
}
