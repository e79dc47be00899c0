migrate_runtime::migrations! {
    dialects: [postgres, mysql];

    mod m0001;
}

fn main() {}
