use migrate_runtime::migration;

mod m0001;

/// As many columns on one side as on the other.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table notes add foreign key (a) references pairs (a, b) not valid;
    }
}

fn main() {}
