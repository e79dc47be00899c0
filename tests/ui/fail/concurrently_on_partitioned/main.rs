use migrate_runtime::migration;

mod m0001;

/// A partitioned table gets no index concurrently.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        create index concurrently events_body_idx on events (body);
    }
}

fn main() {}
