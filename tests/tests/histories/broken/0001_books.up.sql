-- as many people write their files: with a transaction of their own
begin;
create table books (
    id bigserial primary key,
    isbn varchar(13) default null unique,
    title text not null,
    printed date
);
create index on books (printed desc);
commit;
