use migrate_runtime::migration;

mod m0001;

/// What a mistake keeps from being there is not missed below.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        alter table documents add column status document_statsu;
        alter table documents alter column status set not null;
        create index documents_status_idx on documents (status);
    }
}

fn main() {}
