//! The chain, oldest first.

migrate_runtime::migrations! {
    dialects: [postgres, sqlite];

    mod m0001_books;
    mod m0002_loans;
    mod m0003_conditions;
    mod m0004_titles;
}
