create schema billing;
comment on schema billing is 'money';
create type status as enum ('draft', 'published', 'it''s');
create type billing.currency as enum ('eur', 'usd');
alter type status add value 'archived' after 'published';
create type billing.nothing as enum ();
comment on type status is 'of documents';
create table invoices (
    id integer primary key, state status not null default 'draft', other public.status default 'published'::status,
    money billing.currency default 'eur', several status[] default '{draft}', check (state <> 'archived'), check (state in ('draft', 'it''s'))
);
create table billing.lines (id bigserial primary key, invoice integer references invoices, currency billing.currency default 'usd'::billing.currency);
create index on invoices (id) where state = 'draft';
