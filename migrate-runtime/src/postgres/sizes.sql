-- The tables of at least a size, with the place in the catalog that they keep when they are renamed, and the places of all.
-- What `vacuum` and `analyze` have counted is good enough, if it is scaled by the rows that have come since; a table that
-- neither has seen is measured, which takes a lock. Where somebody holds or awaits one that we would have to wait for, its
-- size is null: nobody knows.
with locked as materialized (
    select l.relation from pg_catalog.pg_locks l
    where l.locktype = 'relation' and l.mode = 'AccessExclusiveLock' and l.pid <> pg_catalog.pg_backend_pid()
        and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
),
counted as (
    select c.oid, c.reltoastrelid, n.nspname, c.relname, c.relowner, c.relreplident, c.relpages * pg_catalog.current_setting('block_size')::bigint as size,
        case
            when c.relpages > 0 and c.reltuples > 0
            then greatest(1::double precision, pg_catalog.pg_stat_get_live_tuples(c.oid) / c.reltuples::double precision)
            else 1::double precision
        end as growth
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and c.relpersistence <> 't'
        and pg_catalog.left(n.nspname, 3) <> 'pg_' and n.nspname not in ('information_schema', '_migrate')
),
tables as (
    select c.oid, c.reltoastrelid, c.nspname, c.relname, c.relowner, c.relreplident, c.growth,
        case
            when c.size > 0 then least(c.size * c.growth, 9e18::double precision)::bigint
            when exists (select from locked l where l.relation = c.oid) then null
            else pg_catalog.pg_relation_size(c.oid)
        end as size
    from counted c
)
select pg_catalog.json_build_object(
    'version', pg_catalog.split_part(pg_catalog.current_setting('server_version'), ' ', 1),
    'there', (select coalesce(pg_catalog.json_agg(t.oid::bigint), '[]') from tables t),
    'tables', (
        select coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(
                t.oid::bigint, t.nspname, t.relname, t.size, others.size,
                pg_catalog.pg_get_userbyid(t.relowner) = current_user,
                -- no rule hears of an update, and the server doesn't refuse one because of a publication
                not exists (
                    select from pg_catalog.pg_rewrite r where r.ev_class = t.oid and r.ev_type = '2' and r.ev_enabled <> 'D'
                ) and not (
                    exists (select from pg_catalog.pg_publication p where p.pubupdate) and (t.relreplident = 'n' or (
                        t.relreplident = 'd'
                        and not exists (select from pg_catalog.pg_index i where i.indrelid = t.oid and i.indisprimary)
                    ))
                )
            )), '[]')
        from tables t, lateral (
            select least(coalesce(sum(o.relpages::bigint), 0) * pg_catalog.current_setting('block_size')::bigint * t.growth, 9e18::double precision)::bigint as size
            from pg_catalog.pg_class o
            where o.oid = t.reltoastrelid
                or o.oid in (select i.indexrelid from pg_catalog.pg_index i where i.indrelid in (t.oid, t.reltoastrelid))
        ) others
        where coalesce(t.size >= {limit}, {unknown})
    )
)::text
