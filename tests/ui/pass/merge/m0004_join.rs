use migrate_runtime::migration;

/// Needs both branches.
#[migration(revision = "aae3309a2a8b", parents = ["774225e563ca", "d47310025be2"])]
mod join {
    up! {
        alter table reviews add column document_id uuid not null references documents (id), add column grade integer;
        create index concurrently reviews_document_idx on reviews (document_id);
        alter table reviews rename author_id to reviewer_id;
        alter table documents rename constraint documents_owner_id_fkey to documents_users_fkey;
    }
}
