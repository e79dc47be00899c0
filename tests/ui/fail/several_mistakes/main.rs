use migrate_runtime::migration;

mod m0001;

/// Every mistake is told at once, in the order of the source.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        alter table documnets add column status text;
        alter table documents drop column boddy;
        create table users (id bigint primary key);
        alter table documents add column pages integer, add column title text;
    }
}

fn main() {}
