//! Two branches and the migration that joins them.

migrate_runtime::migrations! {
    #![allow(all, reason = "the cases are about the language, not about running systems")]

    /// Lists may stand in any order.
    mod m0004_join;
    mod m0001_users;
    mod m0002_documents;
    pub(crate) mod m0003_reviews;
}
