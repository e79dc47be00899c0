use migrate_runtime::migration;

#[migration(revision = "1")]
mod tables {
    external! {
        create table accounts (id bigint primary key);
    }

    optional! {
        create table blog_posts (id bigint primary key, title text, subtitle text);
    }

    up! {
        create table documents (id uuid primary key, account_id bigint references accounts (id), title text);
    }
}
