use migrate_runtime::migration;

mod m0001;

/// An exception that nobody can judge.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        #[allow(renaming_column)]
        alter table documents rename column body to content;
    }
}

fn main() {}
