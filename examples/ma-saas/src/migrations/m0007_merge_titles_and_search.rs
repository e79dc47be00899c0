//! Both branches after the identifiers have to be applied before this one; in which order does not matter.

use migrate_runtime::migration;

/// Merges the branches, and adds what needs both: a search by mandatory title and by keyword.
#[migration(revision = "9f4b7d2e6a15", parents = ["5c1e8a3f7b20", "a27d90c4e1f3"])]
mod merge_titles_and_search {
    up! {
        create index documents_title_idx on documents (lower(title) text_pattern_ops) include (title_source);
        alter index documents_ai_keywords_idx rename to documents_keywords_idx;
        comment on column documents.title_source is "who wrote the title: its author, the file name or the model";
    }
}
