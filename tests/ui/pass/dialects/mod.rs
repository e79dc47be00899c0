//! A chain for both kinds of database.

migrate_runtime::migrations! {
    #![allow(all, reason = "the cases are about the language, not about running systems")]

    dialects: [postgres, sqlite];

    mod m0001_books;
    mod m0002_search;
}
