//! The head of the chain.

use migrate_runtime::migration;

/// Adds document reviews, and finishes what earlier revisions left open: keys to validate, names to settle.
#[migration(revision = "aae3309a2a8b", parent = "9f4b7d2e6a15")]
mod reviews {
    up! {
        create type review_outcome as enum ("approved", "changes_requested", "rejected");

        create sequence document_review_number_seq as integer start with 1 increment by 1;

        create table document_reviews (
            id              uuid primary key default gen_random_uuid(),
            number          integer not null default nextval("document_review_number_seq") unique,
            document_id     uuid not null references documents (id) on delete cascade,
            version_id      uuid references document_versions (id) on delete set null,
            template_id     varchar(36),
            reviewer_id     varchar(36) not null references users (id) on delete cascade,
            outcome         review_outcome,
            priority        priority_level not null default "normal",
            comment         text,
            requested_at    timestamptz not null default now(),
            decided_at      timestamptz,
            turnaround      interval generated always as (decided_at - requested_at) stored,
            check ((outcome is null) = (decided_at is null)),
            unique (document_id, version_id, reviewer_id)
        );
        alter sequence document_review_number_seq owned by document_reviews.number;
        create index document_reviews_open_idx on document_reviews (reviewer_id, priority desc) where outcome is null;
        alter table document_reviews add constraint document_reviews_template_id_fkey
            foreign key (template_id) references document_templates (id) on delete set null;

        // The tables are there everywhere; the second key is only where pipeline_templates is.
        alter table users validate constraint users_email_check;
        alter table deals validate constraint deals_pipeline_template_id_fkey;
        comment on constraint deals_accepted_match_id_fkey on deals is "Cleared when the match is withdrawn";

        alter table data_room_requests rename to access_requests;
        alter index data_room_requests_open_key rename to access_requests_open_key;
        alter table access_requests rename constraint data_room_requests_decided_check to access_requests_decided_check;

        create index admin_campaigns_audience_idx on admin_campaigns using gin (audience jsonb_path_ops);
        create index admin_campaigns_segment_idx on admin_campaigns ((audience #>> "{segment,name}"));
        create index admin_activities_source_idx on admin_activities (source, occurred_on);
        alter table admin_deals alter column closes_on set default current_date + 90;
        alter table admin_prospects alter column ai_notes type jsonb using to_jsonb(ai_notes);
        alter table admin_goals alter column due_on set not null;
        alter table community_posts rename column hidden_at to moderated_at;
        drop index community_moderation_actions_active_idx;
        alter table community_moderation_actions drop column reverted_at;
        alter table document_templates rename constraint uq_document_templates_name to document_templates_name_key;
        alter table event_tickets add constraint event_tickets_max_per_order_check
            check (max_per_order between 1 and 100);
        alter table valuation_export_logs add constraint ck_valuation_export_logs_storage_key check (storage_key <> "");

        create view event_attendance as
            select e.id, e.title, e.starts_at, count(r.id) filter (where r.checked_in_at is not null) as attended
              from events e left join event_registrations r on r.event_id = e.id
             group by e.id, e.title, e.starts_at;

        create view @"Reviews by outcome" as
            select outcome as @"Outcome", count(*) as @"Reviews", avg(turnaround) as @"Average turnaround"
              from document_reviews
             group by outcome;
    }

    irreversible!("free text becomes JSON, and reviews would be lost with their table");
}
