use migrate_runtime::migration;

mod m0001;

/// What is not generated can't lose its expression.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table documents alter column title drop expression;
    }
}

fn main() {}
