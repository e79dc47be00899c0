use migrate_runtime::migration;

/// Has a way back and none forth.
#[migration(revision = "1")]
mod documents {
    down! {}
}

fn main() {}
