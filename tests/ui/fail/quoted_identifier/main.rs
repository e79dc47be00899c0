use migrate_runtime::migration;

/// A quoted identifier without `@` is a string.
#[migration(revision = "1")]
mod baseline {
    up! {
        create table "Documents" (id uuid primary key);
    }
}

fn main() {}
