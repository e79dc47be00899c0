migrate_runtime::migrations! {
    mod m0001;
    mod m0002;
    mod m0003;
}

fn main() {}
