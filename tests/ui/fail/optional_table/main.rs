use migrate_runtime::migration;

mod m0001;

/// A table of the optional module is misspelt.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        alter table pipeline_template_stage alter column name set not null;
    }
}

fn main() {}
