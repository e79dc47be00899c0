create table documents (
    id integer primary key, title text, email varchar(100), body jsonb, tags text[], amount integer, state text, made timestamptz,
    search tsvector, name text collate "C"
);
create index on documents (title);
create unique index documents_email on documents (lower(email));
create index documents_order on documents (amount desc, made desc nulls last, title nulls first, id);
create index on documents (title text_pattern_ops, name collate "POSIX");
create index on documents using gin (body jsonb_path_ops);
create index on documents using gin (body);
create index on documents using gin (tags) with (fastupdate = off);
create index on documents using hash (state);
create index on documents using brin (made);
create index on documents (state) include (title, amount) where state <> 'deleted' and amount > 0;
create index on documents ((body ->> 'kind'), (amount + 1));
create index on documents ((lower(title) collate "C"));
create index on documents (upper(title) collate "C", title collate "C");
create index documents_made_day on documents ((made at time zone 'utc'));
create index on documents using gin (to_tsvector('english', title));
create index on documents (coalesce(title, ''), (title || email));
create index on documents (amount) where state in ('a', 'b') and title is not null;
create index on documents (id) where amount > 10::bigint;
create index "Odd Index" on documents (made) with (fillfactor = 80);
comment on index "Odd Index" is 'odd';
create index on documents (name collate "C", (title collate "default"));
create unique index on documents (id, (state is null));
create index on documents using gist (int4range(id, amount));
create index documents_year on documents (extract(year from made at time zone 'utc')) where made >= '2020-01-01';
create index on documents (((body -> 'a') ->> 'b'), md5(title || coalesce(state, 'none')));
