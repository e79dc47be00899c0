migrate_runtime::migrations! {
    mod m0001;
    mod m0002;
    mod m0003;
    mod m0004;
    mod m0005;
}

fn main() {}
