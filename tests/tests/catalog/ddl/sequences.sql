create sequence plain;
create sequence counted as integer increment by 2 minvalue 10 maxvalue 1000 start with 20 cache 5 cycle;
create sequence backwards increment by -1;
create sequence spelt_out as bigint start with 1 increment by 1 minvalue 1 maxvalue 9223372036854775807 cache 1 no cycle;
create sequence small as smallint;
comment on sequence plain is 'counts';
create table counters (id integer default nextval('plain'), other bigint default nextval('public.counted'::regclass), own integer);
create sequence owned owned by counters.own;
alter table counters alter column own set default nextval('owned');
