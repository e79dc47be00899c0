//! A type change across foreign keys: all of them have to go before the first column changes.

use migrate_runtime::migration;

/// Turns document identifiers from `varchar(36)` into `uuid`, in every table that holds one.
#[migration(revision = "d47310025be2", parent = "774225e563ca")]
mod document_uuids {
    up! {
        drop view document_overview;

        alter table documents drop constraint documents_parent_document_id_fkey;
        alter table document_shares drop constraint document_shares_document_id_fkey;
        alter table document_activities drop constraint document_activities_document_id_fkey;
        alter table document_versions drop constraint document_versions_document_id_fkey;
        alter table document_ai_suggestions drop constraint document_ai_suggestions_document_id_fkey;
        alter table deals drop constraint deals_teaser_document_id_fkey;

        alter table documents
            alter column id type uuid using id::uuid,
            alter column parent_document_id type uuid using parent_document_id::uuid;
        alter table documents alter column id set default gen_random_uuid();
        alter table document_shares alter column document_id type uuid using document_id::uuid;
        alter table document_activities alter column document_id type uuid using document_id::uuid;
        alter table document_versions alter column document_id type uuid using document_id::uuid;
        alter table document_ai_suggestions alter column document_id type uuid using document_id::uuid;
        alter table deals alter column teaser_document_id type uuid using teaser_document_id::uuid;

        // The modules never had these keys enforced: an empty string stood for "none".
        alter table document_questions alter column document_id type uuid using document_id::uuid;
        alter table generated_documents
            alter column document_id type uuid using nullif(trim(document_id), "")::uuid;
        alter table document_templates
            alter column source_document_id type uuid using nullif(trim(source_document_id), "")::uuid;
        alter table admin_collateral
            alter column document_id type uuid using nullif(trim(document_id), "")::uuid;

        alter table documents add constraint documents_parent_document_id_fkey
            foreign key (parent_document_id) references documents (id) on delete set null;
        alter table document_shares add constraint document_shares_document_id_fkey
            foreign key (document_id) references documents (id) on delete cascade;
        alter table document_activities add constraint document_activities_document_id_fkey
            foreign key (document_id) references documents (id) on delete cascade;
        alter table document_versions add constraint document_versions_document_id_fkey
            foreign key (document_id) references documents (id) on delete cascade;
        alter table document_ai_suggestions add constraint document_ai_suggestions_document_id_fkey
            foreign key (document_id) references documents (id) on delete cascade;
        alter table deals add constraint deals_teaser_document_id_fkey
            foreign key (teaser_document_id) references documents (id) on delete set null;
        alter table document_questions add constraint document_questions_document_id_fkey
            foreign key (document_id) references documents (id) on delete cascade;
        alter table generated_documents add constraint generated_documents_document_id_fkey
            foreign key (document_id) references documents (id) on delete cascade;
        alter table document_templates add constraint document_templates_source_document_id_fkey
            foreign key (source_document_id) references documents (id) on delete set null;
        alter table admin_collateral add constraint admin_collateral_document_id_fkey
            foreign key (document_id) references documents (id) on delete set null;

        create view document_overview as
            select d.id, d.file_name, d.organization_id, d.status, count(s.id) as share_count
              from documents d left join document_shares s on s.document_id = d.id
             group by d.id, d.file_name, d.organization_id, d.status;
    }

    irreversible!("identifiers are trimmed and their old spelling is lost");
}
