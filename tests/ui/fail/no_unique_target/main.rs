use migrate_runtime::migration;

mod m0001;

/// A foreign key points at something unique.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table notes add constraint notes_about_fkey foreign key (about) references documents (title) not valid;
    }
}

fn main() {}
