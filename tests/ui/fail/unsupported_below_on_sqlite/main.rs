migrate_runtime::migrations! {
    #![allow(all, reason = "the case is about something else")]

    dialects: [postgres, sqlite];

    mod m0001;
    mod m0002;
}

fn main() {}
