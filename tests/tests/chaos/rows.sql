-- Puts a few rows into every table that takes them. What a column gets depends on its type only, and row 1 of one table
-- has what row 1 of another has: so references, where they are to columns of the same type, hold.
do $$
declare
    destination record;
    names text;
    expressions text;
begin
    set local session_replication_role = replica;
    for destination in
        select c.oid, c.oid::regclass as name from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
        where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', '_migrate') order by c.oid
    loop
        select string_agg(quote_ident(a.attname), ', ' order by a.attnum),
               string_agg(case
                   when t.typcategory = 'N' then format('number::text::%s', a.atttypid::regtype)
                   when t.typcategory = 'S' then format('number::text::%s', a.atttypid::regtype)
                   when t.typcategory = 'B' then 'true'
                   when t.typcategory = 'D' then format('(''2024-01-0'' || number)::%s', a.atttypid::regtype)
                   when t.typcategory = 'T' then format('(number || '' days'')::%s', a.atttypid::regtype)
                   when t.typcategory = 'I' then format('(''10.0.0.'' || number)::%s', a.atttypid::regtype)
                   when t.typcategory = 'E' then format('(enum_range(null::%s))[1]', a.atttypid::regtype)
                   when t.typcategory = 'A' then format('''{}''::%s', a.atttypid::regtype)
                   when t.typcategory = 'R' then format('''empty''::%s', a.atttypid::regtype)
                   when t.typname = 'uuid' then '(''00000000-0000-0000-0000-00000000000'' || number)::uuid'
                   when t.typname in ('json', 'jsonb') then format('''{}''::%s', t.typname)
                   when t.typname = 'bytea' then '''''::bytea'
                   else 'null' end, ', ' order by a.attnum)
        into names, expressions
        from pg_attribute as a join pg_type as t on t.oid = a.atttypid
        where a.attrelid = destination.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and a.attidentity <> 'a';
        for number in 1..3 loop
            begin
                if names is null then
                    execute format('insert into %s default values', destination.name);
                else
                    execute format('insert into %s (%s) select %s from (values (%s)) as one (number)', destination.name, names, expressions, number);
                end if;
            exception when others then
                -- it takes other rows only
            end;
        end loop;
    end loop;
end $$
