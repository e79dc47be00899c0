use migrate_runtime::migration;

mod m0001;

/// A statement that is run as it stands names a table that is misspelt.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        create trigger documents_touched before update on documnets for each row execute function touch();
    }

    irreversible!("not the mistake here");
}

fn main() {}
