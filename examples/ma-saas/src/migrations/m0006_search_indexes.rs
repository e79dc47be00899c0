//! The other branch after the identifiers: indexes that are built while people work, and a deal stage whose first use
//! has to wait for a commit.

use migrate_runtime::migration;

/// Adds the deal stage `on_hold` and the indexes of the new search page, without blocking writers.
#[migration(revision = "a27d90c4e1f3", parent = "d47310025be2")]
mod search_indexes {
    up! {
        alter type deal_stage add value "on_hold" after "diligence";

        create index concurrently deals_on_hold_idx on deals (organization_id, updated_at) where stage = "on_hold";
        create index concurrently documents_ai_keywords_idx on documents using gin (ai_keywords);
        drop index concurrently ix_documents_file_name;

        create unique index concurrently webhook_deliveries_once_key on webhook_deliveries (endpoint_id, event, created_at);
        alter table webhook_deliveries
            add constraint webhook_deliveries_once_key unique using index webhook_deliveries_once_key;

        // What these index, 774225e563ca made or renamed: skipped there means skipped here.
        create index concurrently blog_posts_meta_title_idx on blog_posts (lower(meta_title));
        create index concurrently admin_meetings_attendees_idx on admin_meetings using gin (attendees);
        create index concurrently generated_documents_suggestion_id_idx on generated_documents (suggestion_id)
            where finished_at is null;
        create index concurrently document_questions_pages_idx on document_questions using gist (pages);
    }

    // PostgreSQL cannot drop a value of an enum type, so the type is built again without it.
    down! {
        drop index concurrently document_questions_pages_idx;
        drop index concurrently generated_documents_suggestion_id_idx;
        drop index concurrently admin_meetings_attendees_idx;
        drop index concurrently blog_posts_meta_title_idx;

        alter table webhook_deliveries drop constraint webhook_deliveries_once_key;
        create index concurrently ix_documents_file_name on documents (lower(file_name) text_pattern_ops);
        drop index concurrently documents_ai_keywords_idx;
        drop index concurrently deals_on_hold_idx;

        drop view open_deals;
        drop index ix_deals_stage_open;
        alter type deal_stage rename to deal_stage_with_on_hold;
        create type deal_stage as enum (
            "sourcing", "screening", "diligence", "negotiation", "signed", "closed", "lost"
        );
        alter table deals alter column stage drop default;
        alter table deals alter column stage type deal_stage
            using (case stage::text when "on_hold" then "diligence" else stage::text end)::deal_stage;
        alter table deals alter column stage set default "sourcing";
        alter table pipeline_template_stages alter column stage type deal_stage
            using (case stage::text when "on_hold" then "diligence" else stage::text end)::deal_stage;
        drop type deal_stage_with_on_hold;
        create index ix_deals_stage_open on deals (stage, expected_close) where stage not in ("closed", "lost");
        create view open_deals as
            select d.id, d.reference, d.name, d.stage, d.organization_id, u.full_name as owner_name
              from deals d left join users u on u.id = d.owner_id
             where d.stage not in ("closed", "lost");
        comment on view open_deals is "Deals that somebody still works on, with the name of the owner.";
    }
}
