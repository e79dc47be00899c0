create type standing as enum ('good', 'barred');
create table readers (
    id uuid primary key default gen_random_uuid(),
    name text not null,
    standing standing not null default 'good'
);
create table loans (
    book bigint not null references books on delete cascade,
    reader uuid not null references readers,
    since timestamptz not null default now(),
    back timestamptz check (back > since),
    primary key (book, reader, since)
);
