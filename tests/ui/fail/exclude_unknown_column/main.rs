use migrate_runtime::migration;

mod m0001;

/// An exclusion constraint names columns of its table.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table bookings add constraint bookings_no_overlap exclude using gist (durring with &&);
    }
}

fn main() {}
