alter table books
    add column pages int,
    alter column titel drop not null;
insert into nobody values (1);
do $$ begin create table secret (id int); end $$;
