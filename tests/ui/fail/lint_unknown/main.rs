use migrate_runtime::migration;

mod m0001;

/// A lint that isn't one.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        #[allow(ban_drop_colum, reason = "no release has read it since spring")]
        alter table documents drop column body;
    }
    irreversible!("the texts are gone");
}

fn main() {}
