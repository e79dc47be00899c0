migrate_runtime::migrations! {
    mod m0001;
}

fn main() {}
