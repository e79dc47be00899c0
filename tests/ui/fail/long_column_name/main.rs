use migrate_runtime::migration;

mod m0001;

/// A column with a name that PostgreSQL cuts.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table documents add column a_name_that_says_everything_about_the_column_and_then_a_bit_more_than_fits text;
    }
}

fn main() {}
