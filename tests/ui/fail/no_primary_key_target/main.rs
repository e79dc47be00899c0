use migrate_runtime::migration;

mod m0001;

/// Without columns, a foreign key means the primary key.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table notes add foreign key (event) references events not valid;
    }
}

fn main() {}
