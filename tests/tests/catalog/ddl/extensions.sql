create extension pgcrypto;
create extension citext;
create extension btree_gist;
create table users (id uuid default gen_random_uuid(), name citext not null default 'nobody' check (name <> ''), secret text default crypt('a', gen_salt('bf')));
create table stays (room integer, during daterange, exclude using gist (room with =, during with &&));
