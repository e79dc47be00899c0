create table users (id bigint primary key);

create table documents (id uuid primary key);
