-- The tables of at least a size, with the place in the catalog that they keep when they are renamed. What `vacuum` and
-- `analyze` have counted is good enough; a table that neither has seen is measured, which takes a lock, unless somebody
-- holds or awaits one that we would have to wait for.
with locked as materialized (
    select l.relation from pg_catalog.pg_locks l
    where l.locktype = 'relation' and l.mode = 'AccessExclusiveLock' and l.pid <> pg_catalog.pg_backend_pid()
),
tables as (
    select c.oid, n.nspname, c.relname,
        case
            when c.relpages > 0 then c.relpages * pg_catalog.current_setting('block_size')::bigint
            when exists (select from locked l where l.relation = c.oid) then 0
            else pg_catalog.pg_relation_size(c.oid)
        end as size
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and c.relpersistence <> 't'
        and pg_catalog.left(n.nspname, 3) <> 'pg_' and n.nspname not in ('information_schema', '_migrate')
)
select pg_catalog.json_build_object(
    'version', pg_catalog.split_part(pg_catalog.current_setting('server_version'), ' ', 1),
    'tables', (
        select coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(t.oid::bigint, t.nspname, t.relname, t.size)), '[]')
        from tables t
        where t.size >= {limit}
    )
)::text
