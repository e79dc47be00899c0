//! The chain of the founding case, oldest first.
//!
//! It branches after `d47310025be2`: titles are backfilled on one branch while the search indexes are built on the
//! other, and `9f4b7d2e6a15` merges the two.

migrate_runtime::migrations! {
    mod m0001_baseline;
    mod m0002_enum_types;
    mod m0003_document_ai;
    mod m0004_document_uuids;
    mod m0005_document_titles;
    mod m0006_search_indexes;
    mod m0007_merge_titles_and_search;
    mod m0008_reviews;
}
