use migrate_runtime::migration;

mod m0001;

/// A column of the optional module is misspelt.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        alter table pipeline_template_stages alter column nmae set not null;
    }
}

fn main() {}
