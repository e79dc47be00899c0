create domain email as text check (value like '%@%');
create type address as (street text, city text);
create type span as range (subtype = integer);
create table people (id integer primary key, mail email default 'a@b', home address, ages span, mails email[]);
create table events (id bigint, at date not null, kind text) partition by range (at);
create table events_2020 partition of events for values from ('2020-01-01') to ('2021-01-01');
create table parts (id integer, region text, primary key (id, region)) PARTITION BY LIST (region);
create table hashed (id integer, data jsonb) partition by hash (id);
create table by_expression (id integer, at timestamp, name text) partition by range ((at::date), lower(name));
