use migrate_runtime::migration;

mod m0001;

/// Neither is ever run in phases.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        #[as_written]
        alter table documents add column subtitle text;
        #[as_written]
        #[allow(adding_not_null_field, reason = "the table is small everywhere")]
        alter table documents alter column title set not null;
    }
    down! {
        #[as_written]
        alter table documents alter column title drop not null;
        alter table documents drop column subtitle;
    }
}

fn main() {}
