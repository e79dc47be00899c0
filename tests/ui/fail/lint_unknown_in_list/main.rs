migrate_runtime::migrations! {
    #![allow(ban_drop_columns, reason = "nothing is deployed yet")]
    #![allow(prefer_timestamptz)]
    #![forbid(prefer_timestamptz)]

    mod m0001;
}

fn main() {}
