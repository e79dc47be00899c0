create table accounts (id uuid primary key, tenant integer not null, email varchar(200) not null unique, unique (tenant, email));
create table members (
    tenant integer, account uuid, role text not null check (role in ('owner', 'member')), since date not null,
    until date, weight numeric(5, 2) not null default 1 check (weight > 0 and weight <= 100),
    constraint members_pk primary key (tenant, account),
    constraint members_account foreign key (account) references accounts on delete cascade on update restrict deferrable initially deferred,
    constraint members_until check (until is null or until > since) no inherit,
    constraint members_email foreign key (tenant, role) references accounts (tenant, email) match full on delete set null,
    unique (tenant, since) include (weight) deferrable,
    check (length(role) between 1 and 20 and not (role like '%;%' or role = any (array['root', 'admin'])))
);
create table tree (
    id integer primary key, parent integer references tree, sibling integer references tree (id) on delete set default,
    status varchar(20) check (status in ('a', 'b')), kind char(1) default 'a' check (kind = 'a'),
    position integer check (position >= -1), ratio real check (ratio between 0 and 1.5), code text check (code ~ '^[A-Z]\d+$'),
    flags integer check ((flags & 3) = 0), data jsonb check (jsonb_typeof(data -> 'a') = 'object' and data ? 'b'),
    starts timestamptz, ends timestamptz, check (starts < ends), check (ends > '2020-01-01'),
    check (case when position = 1 then code is not null else true end), check (coalesce(status, 'x') <> ''),
    check (tree.parent is distinct from tree.id), check ((starts at time zone 'utc')::date > date '2000-01-01'),
    check (extract(year from starts) > 2000), check (length(code::varchar) < 10), check (code similar to 'a%'),
    check (position in (-1, 0, 1)), check (num_nonnulls(starts, ends) = 2)
);
create table bookings (
    room integer, during tsrange, cancelled boolean default false,
    exclude using gist (during with &&) where (not cancelled),
    constraint bookings_once exclude (room with =) deferrable initially deferred
);
create table late (id integer, other integer, name text);
alter table late add primary key (id);
alter table late add constraint late_other foreign key (other) references late (id) not valid;
alter table late add check (name <> '') not valid;
alter table late add constraint late_name unique (name);
comment on constraint late_name on late is 'said once';
