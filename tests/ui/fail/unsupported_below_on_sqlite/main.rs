migrate_runtime::migrations! {
    dialects: [postgres, sqlite];

    mod m0001;
    mod m0002;
}

fn main() {}
