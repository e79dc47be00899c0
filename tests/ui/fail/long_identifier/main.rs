use migrate_runtime::migration;

mod m0001;

/// A name that PostgreSQL would cut.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        create index documents_that_have_a_title_and_an_owner_and_wait_for_a_review_idx on documents (title);
    }
}

fn main() {}
