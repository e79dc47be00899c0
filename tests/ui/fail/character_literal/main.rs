use migrate_runtime::migration;

/// One letter in single quotes is a character to Rust.
#[migration(revision = "1")]
mod baseline {
    up! {
        create table documents (id uuid primary key, grade text not null default 'a');
    }
}

fn main() {}
