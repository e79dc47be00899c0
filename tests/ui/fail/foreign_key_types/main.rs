use migrate_runtime::migration;

mod m0001;

/// A foreign key whose columns have different types.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        create table reviews (
            id          bigint primary key,
            document_id bigint not null references documents (id)
        );
    }
}

fn main() {}
