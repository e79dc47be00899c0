//! Types that later revisions turn strings into, and the first tables that use them.

use migrate_runtime::migration;

/// Adds the enum types, notifications, webhooks and data room requests.
#[migration(revision = "65e4b4ef883d", parent = "b354d12d1e7d")]
mod enum_types {
    up! {
        create type priority_level as enum ("low", "normal", "high", "urgent");
        create type document_status as enum ("draft", "in_review", "approved", "archived", "superseded");
        create type suggestion_kind as enum ("title", "summary", "category", "redaction", "follow_up");
        create type suggestion_state as enum ("pending", "accepted", "rejected", "expired");
        create type content_status as enum ("idea", "draft", "scheduled", "published", "archived");
        create type campaign_status as enum ("draft", "scheduled", "sending", "sent", "canceled");
        create type delivery_status as enum ("queued", "sent", "opened", "bounced", "failed");
        create type prospect_stage as enum ("new", "contacted", "qualified", "proposal", "won", "lost");
        create type meeting_outcome as enum ("held", "no_show", "rescheduled", "canceled");
        create type match_status as enum ("suggested", "shortlisted", "contacted", "dismissed");
        create type template_kind as enum ("letter", "nda", "teaser", "memorandum", "report");
        create type generation_status as enum ("queued", "running", "succeeded", "failed");
        create type question_status as enum ("open", "answered", "dismissed");
        create type post_kind as enum ("discussion", "question", "announcement", "deal_wanted");
        create type moderation_kind as enum ("hide", "delete", "warn", "ban", "restore");
        create type event_status as enum ("planned", "open", "sold_out", "held", "canceled");
        create type registration_status as enum ("registered", "waitlisted", "attended", "canceled");
        create type export_format as enum ("pdf", "xlsx", "csv");
        create type notification_channel as enum ("email", "in_app", "push", "slack");
        create type access_state as enum ("requested", "granted", "denied", "revoked");

        comment on type priority_level is "Shared by deals, nudges and data room requests.";

        create table notifications (
            id              bigint generated always as identity primary key,
            organization_id varchar(36) not null references organizations (id) on delete cascade,
            recipient_id    varchar(36) not null references users (id) on delete cascade,
            channel         notification_channel not null default "in_app",
            status          delivery_status not null default "queued",
            subject         text not null,
            body            text,
            payload         jsonb not null default "{}",
            created_at      timestamptz not null default now(),
            read_at         timestamptz,
            check (read_at is null or read_at >= created_at)
        );
        create index notifications_unread_idx on notifications (recipient_id, created_at desc) where read_at is null;
        comment on column notifications.payload is "What the client needs to open the subject; never shown as it is";

        create table notification_preferences (
            user_id         varchar(36) not null references users (id) on delete cascade,
            channel         notification_channel not null,
            is_enabled      boolean not null default true,
            quiet_from      time,
            quiet_until     time,
            primary key (user_id, channel),
            constraint notification_preferences_quiet_check
                check ((quiet_from is null) = (quiet_until is null))
        );

        create table webhook_endpoints (
            id              uuid primary key default gen_random_uuid(),
            organization_id varchar(36) not null references organizations (id) on delete cascade,
            url             text not null check (url ~ "^https://"),
            secret          bytea not null,
            events          text[] not null default array[]::text[],
            is_active       boolean not null default true,
            created_at      timestamptz not null default now(),
            unique (organization_id, url)
        );

        create table webhook_deliveries (
            id              bigint generated always as identity primary key,
            endpoint_id     uuid not null references webhook_endpoints (id) on delete cascade,
            event           text not null,
            status          delivery_status not null default "queued",
            attempts        smallint not null default 0,
            response_code   smallint,
            next_attempt_at timestamptz default now() + interval "30 seconds",
            created_at      timestamptz not null default now(),
            constraint webhook_deliveries_response_code_check check (response_code between 100 and 599)
        );
        create index webhook_deliveries_due_idx on webhook_deliveries (next_attempt_at)
            where status in ("queued", "failed");

        create table data_room_requests (
            id              uuid primary key default gen_random_uuid(),
            deal_id         uuid not null references deals (id) on delete cascade,
            requested_by    varchar(36) not null references users (id) on delete cascade,
            decided_by      varchar(36) references users (id) on delete set null,
            state           access_state not null default "requested",
            priority        priority_level not null default "normal",
            message         text,
            created_at      timestamptz not null default now(),
            decided_at      timestamptz,
            constraint data_room_requests_decided_check check (state = "requested" or decided_at is not null)
        );
        create unique index data_room_requests_open_key on data_room_requests (deal_id, requested_by)
            where state = "requested";
    }
}
