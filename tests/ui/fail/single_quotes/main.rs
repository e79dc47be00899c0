use migrate_runtime::migration;

/// The compiler's lexer has a hint of its own for a string in single quotes.
#[migration(revision = "1")]
mod baseline {
    up! {
        create table documents (id uuid primary key, status text not null default 'pending');
    }
}

fn main() {}
