-- The schema of production.
create table users (
    id bigint primary key,
    email text nott null
);
