migrate_runtime::migrations! {
    #![allow(all, reason = "the case is about something else")]

    mod m0001;
    mod m0002;
    mod m0003;
}

fn main() {}
