use migrate_runtime::migration;

mod m0001;

/// The name that PostgreSQL gives has 63 bytes, and is not the one that is written.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        alter table quarterly_document_review_assignments drop constraint quarterly_document_review_assignments_responsible_reviewer_id_fkey;
    }
}

fn main() {}
