#![deny(deprecated)]

migrate_runtime::migrations! {
    #![allow(ban_drop_column, reason = "nothing is deployed yet")]
    #![warn(require_concurrent_index_creation)]

    mod m0001;
    mod m0002;
}

fn main() {}
