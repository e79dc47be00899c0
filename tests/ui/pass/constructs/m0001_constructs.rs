use migrate_runtime::migration;

/// Uses every construct once.
#[migration(revision = "b354d12d1e7d")]
mod constructs {
    up! {
        create extension btree_gist;
        create type @"Room Kind" as enum ("office", "meeting room", "it's a hall");

        // A comment of Rust.
        create table rooms (
            id             bigint generated always as identity primary key,
            @"Mixed Case"  text not null default "it's \"quoted\" \u{e9}",
            kind           @"Room Kind" not null default "office"::@"Room Kind",
            r#type         text,
            floor          integer not null default -1,
            capacity       integer not null default 1_000,
            factor         numeric(10, 2) not null default .5,
            flags          integer not null default 0x1F,
            tags           text[] not null default array["a", "b"]::text[],
            grid           integer[][],
            settings       jsonb not null default "{}"::jsonb,
            icon           bytea not null default b"\x00\xff",
            key            text generated always as (settings ->> "key") stored,
            period         tstzrange not null default tstzrange(now(), now() + interval "1 hour"),
            check (floor >= -5 and floor <> 13 and not (tags && array["x"])),
            check (settings #>> array["a", "b"] is null or settings @> r#"{"a": {"b": "c"}}"#::jsonb),
            exclude using gist (floor with =, period with &&)
        );

        create index rooms_key_idx on rooms using btree (lower(@"Mixed Case") desc nulls last, (settings -> "key"))
            include (floor) where floor > -1;

        create function touch() returns trigger language plpgsql as r#"
            begin
                -- SQL inside a body keeps its own spelling: 'single quotes', $1, --
                new."Mixed Case" := 'touched';
                return new;
            end
        "#;
        create trigger rooms_touched before update on rooms for each row execute function touch();

        alter table rooms enable row level security;
        create policy rooms_of_the_ground on rooms for select to public using (floor = 0 or current_setting("app.floor")::integer = floor);

        insert into rooms (@"Mixed Case", floor) values ("a", -2), ("b", 1.5e1::integer);
        update rooms set floor = floor - -1, factor = factor * 1.5 where tags = "{}" and kind::text like "%room";
    }

    down! {
        drop table rooms;
        drop function touch();
        drop type @"Room Kind";
        drop extension btree_gist;
    }
}
