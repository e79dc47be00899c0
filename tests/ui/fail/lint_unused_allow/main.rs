use migrate_runtime::migration;

mod m0001;

/// Nothing is dropped here.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        #[allow(ban_drop_column, reason = "no release has read it since spring")]
        alter table documents add column subtitle text;
    }
}

fn main() {}
