use migrate_runtime::migration;

/// One is allowed by the chain, one is made a warning, one is what it always is.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        alter table documents drop column body;
        create index documents_title_idx on documents (title);
        #[as_written]
        alter table documents add column token uuid default gen_random_uuid();
    }
    irreversible!("the texts are gone");
}
