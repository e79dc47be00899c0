use migrate_runtime::migration;

mod m0001;

/// A generated column reads columns of its table.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        create table copies (id bigint primary key, price numeric, total numeric generated always as (pryce * 2) stored);
    }
}

fn main() {}
