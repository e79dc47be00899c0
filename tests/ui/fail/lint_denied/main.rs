use migrate_runtime::migration;

mod m0001;

/// Blocks writers, and breaks the release that is running. The second drop is acknowledged.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        create index documents_title_idx on documents (title);
        alter table documents drop column body;
        #[allow(ban_drop_column, reason = "no release has read it since spring")]
        alter table documents drop column title;
    }
    irreversible!("the texts are gone");
}

fn main() {}
