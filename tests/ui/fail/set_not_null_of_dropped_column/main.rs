use migrate_runtime::migration;

mod m0001;

/// A column that this migration dropped.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        #[allow(ban_drop_column, dropping_without_archive, reason = "nobody reads it")]
        alter table documents drop column body;
        alter table documents alter column body set not null;
    }
    irreversible!("the texts are gone");
}

fn main() {}
