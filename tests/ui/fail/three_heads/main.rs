migrate_runtime::migrations! {
    #![allow(all, reason = "what each of them does to a running system is beside the point")]

    mod m0001;
    mod m0002;
    mod m0003;
    mod m0004;
    mod m0005;
}

fn main() {}
