use migrate_runtime::migration;

#[migration(revision = "1")]
mod documents;

fn main() {}
