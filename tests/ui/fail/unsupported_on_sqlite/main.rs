migrate_runtime::migrations! {
    #![allow(all, reason = "what it does to a running system is beside the point")]

    dialects: [postgres, sqlite];

    mod m0001;
    mod m0002;
}

fn main() {}
