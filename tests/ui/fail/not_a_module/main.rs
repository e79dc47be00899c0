use migrate_runtime::migration;

#[migration(revision = "1")]
fn documents() {}

fn main() {}
