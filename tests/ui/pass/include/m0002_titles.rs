use migrate_runtime::migration;

#[migration(revision = "2", parent = "1")]
mod titles {
    up! {
        alter table documents alter column title set not null;
        alter index documents_title_idx rename to documents_by_title;
        alter table documents drop constraint documents_owner_id_fkey;
        alter type document_status add value "archived";
    }

    irreversible!("a value of an enum stays");
}
