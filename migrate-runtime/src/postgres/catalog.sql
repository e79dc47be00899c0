-- The whole schema as one JSON text, in the shape of `rows.rs`. One text for PostgreSQL 13 to 18: a column that not all
-- of them have is read through `to_jsonb` of its row, which costs time, where the server has it. The search path is `pg_catalog`, so that every definition comes
-- out with the names of users' objects qualified.
with
server as materialized (
    select pg_catalog.current_setting('server_version_num')::integer / 10000 as version
),
namespaces as materialized (
    select oid, nspname as name
    from pg_catalog.pg_namespace
    where pg_catalog.left(nspname, 3) <> 'pg_' and nspname not in ('information_schema', '_migrate')
),
members as materialized (
    select classid, objid from pg_catalog.pg_depend where deptype = 'e'
),
relations as materialized (
    select c.oid, n.name as schema, c.relname as name, c.relkind as kind, c.relispartition as partition,
        c.relpersistence as persistence, c.reloptions as options, c.relrowsecurity as row_security,
        c.relforcerowsecurity as row_security_forced, d.description as comment,
        c.relam as method, c.reltablespace as tablespace, c.relpartbound as bound, c.reltoastrelid as toast
    from pg_catalog.pg_class c
    join namespaces n on n.oid = c.relnamespace
    left join pg_catalog.pg_description d
        on d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objoid = c.oid and d.objsubid = 0
    where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
        and not exists (
            select from members m where m.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and m.objid = c.oid
        )
),
tables as materialized (
    -- a partition of a foreign kind has no definition here
    select * from relations where kind in ('r', 'p')
),
owned_sequences as materialized (
    select objid as sequence, refobjid as relation, refobjsubid as attribute, deptype = 'i' as identity
    from pg_catalog.pg_depend
    where classid = 'pg_catalog.pg_class'::pg_catalog.regclass and refclassid = classid
        and objsubid = 0 and refobjsubid > 0 and deptype in ('a', 'i')
),
sequence_types (oid, lowest, highest) as (
    values (21, -32768::bigint, 32767::bigint), (23, -2147483648, 2147483647),
        (20, -9223372036854775808, 9223372036854775807)
),
sequences as materialized (
    select r.oid, r.schema, r.name, r.comment, o.relation, o.attribute, coalesce(o.identity, false) as identity,
        pg_catalog.json_build_object(
            'data_type', nullif(pg_catalog.format_type(s.seqtypid, null), 'bigint'),
            'start', nullif(s.seqstart, case when s.seqincrement > 0 then s.seqmin else s.seqmax end),
            'increment', nullif(s.seqincrement, 1),
            'minimum', nullif(s.seqmin, case when s.seqincrement > 0 then 1 else t.lowest end),
            'maximum', nullif(s.seqmax, case when s.seqincrement > 0 then t.highest else -1 end),
            'cache', nullif(s.seqcache, 1),
            'cycle', s.seqcycle
        ) as options
    from relations r
    join pg_catalog.pg_sequence s on s.seqrelid = r.oid
    join sequence_types t on t.oid = s.seqtypid
    left join owned_sequences o on o.sequence = r.oid
    where r.kind = 'S'
),
-- PostgreSQL 18 has constraints for it, and says so of a column before they are validated
unvalidated as materialized (
    select c.conrelid as table, c.conkey[1] as attnum, c.conname as name
    from pg_catalog.pg_constraint c
    where c.contype = 'n' and not c.convalidated
),
columns as (
    select a.attrelid as table, a.attnum, a.attname as name,
        pg_catalog.format_type(a.atttypid, a.atttypmod) as type,
        a.attnotnull and u.name is null as not_null,
        u.name as unvalidated,
        pg_catalog.pg_get_expr(e.adbin, e.adrelid) as expression,
        a.attgenerated as generated,
        a.attidentity as identity,
        a.attislocal as local,
        s.name as sequence,
        s.options as sequence_options,
        c.collname as collation,
        d.description as comment
    from tables r
    join pg_catalog.pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
    join pg_catalog.pg_type t on t.oid = a.atttypid
    left join pg_catalog.pg_attrdef e on e.adrelid = a.attrelid and e.adnum = a.attnum
    left join pg_catalog.pg_collation c on c.oid = a.attcollation and a.attcollation <> t.typcollation
    left join unvalidated u on u.table = a.attrelid and u.attnum = a.attnum
    left join sequences s on s.identity and s.relation = a.attrelid and s.attribute = a.attnum
    left join pg_catalog.pg_description d
        on d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objoid = a.attrelid and d.objsubid = a.attnum
),
constraints as (
    select c.conrelid as table, c.conname as name, c.contype as kind, c.condeferrable as deferrable,
        c.condeferred as deferred, c.convalidated as validated, c.connoinherit as no_inherit, d.description as comment,
        array(
            select a.attname
            from pg_catalog.unnest(c.conkey) with ordinality k (number, place)
            join pg_catalog.pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.number
            order by k.place
        ) as columns,
        case when c.contype in ('p', 'u') then array(
            select a.attname
            from pg_catalog.unnest(i.indkey::smallint[]) with ordinality k (number, place)
            join pg_catalog.pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.number
            where k.place > i.indnkeyatts
            order by k.place
        ) end as include,
        case when c.contype = 'u' and (select version from server) >= 15
            then (pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct')::boolean
        end as nulls_not_distinct,
        target.nspname as target_schema,
        target.relname as target_name,
        case when c.contype = 'f' then array(
            select a.attname
            from pg_catalog.unnest(c.confkey) with ordinality k (number, place)
            join pg_catalog.pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.number
            order by k.place
        ) end as target_columns,
        c.confdeltype as on_delete,
        c.confupdtype as on_update,
        c.confmatchtype as match,
        case when c.contype = 'f' and c.confdeltype in ('n', 'd') and (select version from server) >= 15 then array(
            select a.attname
            from pg_catalog.jsonb_array_elements_text(nullif(pg_catalog.to_jsonb(c) -> 'confdelsetcols', 'null'))
                with ordinality k (number, place)
            join pg_catalog.pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.number::integer
            order by k.place
        ) end as on_delete_columns,
        case c.contype
            when 'c' then pg_catalog.pg_get_expr(c.conbin, c.conrelid)
            when 'x' then pg_catalog.pg_get_constraintdef(c.oid)
        end as expression,
        c.conislocal as local,
        coalesce(parent.conname, (
            select o.relname from pg_catalog.pg_inherits h
            join pg_catalog.pg_class o on o.oid = h.inhparent
            where h.inhrelid = c.conindid and c.contype in ('p', 'u', 'x')
        )) as parent,
        (select o.reloptions from pg_catalog.pg_class o where o.oid = i.indexrelid) as storage
    from tables r
    join pg_catalog.pg_constraint c on c.conrelid = r.oid
    left join pg_catalog.pg_index i on i.indexrelid = c.conindid and c.contype in ('p', 'u')
    left join pg_catalog.pg_constraint parent on parent.oid = c.conparentid
    left join (
        select t.oid, t.relname, n.nspname
        from pg_catalog.pg_class t
        join pg_catalog.pg_namespace n on n.oid = t.relnamespace
    ) target on target.oid = c.confrelid
    left join pg_catalog.pg_description d
        on d.classoid = 'pg_catalog.pg_constraint'::pg_catalog.regclass and d.objoid = c.oid
    where c.contype in ('c', 'f', 'p', 'u', 'x')
        -- what points elsewhere than its parent was made by PostgreSQL for a partition of the referenced table
        and (c.contype <> 'f' or c.conparentid = 0 or parent.confrelid = c.confrelid)
        -- neither `not enforced` nor temporal: the model has no such constraints
        and case when (select version from server) < 18 then true
            else pg_catalog.to_jsonb(c) @> '{"conenforced": true, "conperiod": false}'
        end
),
indexes as (
    select i.indrelid as table, c.relname as name, i.indisunique as unique, m.amname as method,
        -- an index on a partitioned table alone is invalid until every partition has one attached
        c.relkind = 'I' and not i.indisvalid as only,
        i.indisready and (i.indisvalid or c.relkind = 'I') as valid,
        (
            select p.relname from pg_catalog.pg_inherits h
            join pg_catalog.pg_class p on p.oid = h.inhparent
            where h.inhrelid = c.oid
        ) as parent,
        c.reloptions as storage,
        (select s.spcname from pg_catalog.pg_tablespace s where s.oid = c.reltablespace) as tablespace,
        pg_catalog.pg_get_expr(i.indpred, i.indrelid) as predicate,
        case when i.indisunique and (select version from server) >= 15
            then (pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct')::boolean
        end as nulls_not_distinct,
        d.description as comment,
        (
            select pg_catalog.json_agg(pg_catalog.json_build_object(
                'column', a.attname,
                'expression', case when k.number = 0 then pg_catalog.pg_get_indexdef(i.indexrelid, k.place::integer, false) end,
                'include', k.place > i.indnkeyatts,
                'option', i.indoption[k.place - 1],
                'collation', case
                    when k.place > i.indnkeyatts then null
                    when k.number > 0 then (
                        select l.collname from pg_catalog.pg_collation l
                        where l.oid = i.indcollation[k.place - 1] and l.oid <> a.attcollation
                    )
                    -- only the whole definition tells whether it is the expression's own
                    else (
                        select l.collname from pg_catalog.pg_collation l
                        where l.oid = i.indcollation[k.place - 1] and pg_catalog.strpos(
                            pg_catalog.pg_get_indexdef(i.indexrelid),
                            pg_catalog.pg_get_indexdef(i.indexrelid, k.place::integer, false) || ' COLLATE '
                        ) > 0
                    )
                end,
                'operator_class', case when k.place <= i.indnkeyatts then (
                    select case when n.nspname in ('pg_catalog', 'public') then '' else pg_catalog.quote_ident(n.nspname) || '.' end
                        || pg_catalog.quote_ident(o.opcname)
                        || coalesce(' (' || pg_catalog.array_to_string(own.attoptions, ', ') || ')', '')
                    from pg_catalog.pg_opclass o
                    join pg_catalog.pg_namespace n on n.oid = o.opcnamespace
                    join pg_catalog.pg_attribute own on own.attrelid = i.indexrelid and own.attnum = k.place
                    where o.oid = i.indclass[k.place - 1] and (not o.opcdefault or own.attoptions is not null)
                ) end
            ) order by k.place)
            from pg_catalog.unnest(i.indkey::smallint[]) with ordinality k (number, place)
            left join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number and k.number <> 0
        ) as keys
    from (select oid from tables union all select oid from relations where kind = 'm') r
    join pg_catalog.pg_index i on i.indrelid = r.oid
    join pg_catalog.pg_class c on c.oid = i.indexrelid
    join pg_catalog.pg_am m on m.oid = c.relam
    left join pg_catalog.pg_description d
        on d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objoid = c.oid and d.objsubid = 0
    where i.indislive and not exists (
        select from pg_catalog.pg_constraint o
        where o.conrelid = i.indrelid and o.conindid = i.indexrelid and o.contype in ('p', 'u', 'x')
    )
),
policies as (
    select p.polrelid as table, p.polname as name, p.polpermissive as permissive, p.polcmd as command,
        array(
            select case when k.role = 0 then 'public' else o.rolname end
            from pg_catalog.unnest(p.polroles) with ordinality k (role, place)
            left join pg_catalog.pg_roles o on o.oid = k.role
            where k.role = 0 or o.rolname is not null
            order by k.place
        ) as roles,
        pg_catalog.pg_get_expr(p.polqual, p.polrelid) as condition,
        pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) as check_condition,
        d.description as comment
    from tables r
    join pg_catalog.pg_policy p on p.polrelid = r.oid
    left join pg_catalog.pg_description d
        on d.classoid = 'pg_catalog.pg_policy'::pg_catalog.regclass and d.objoid = p.oid
),
types as materialized (
    select t.oid, n.name as schema, t.typname as name, t.typtype as kind, t.typrelid as relation, d.description as comment
    from pg_catalog.pg_type t
    join namespaces n on n.oid = t.typnamespace
    left join pg_catalog.pg_class c on c.oid = t.typrelid
    left join pg_catalog.pg_description d
        on d.classoid = 'pg_catalog.pg_type'::pg_catalog.regclass and d.objoid = t.oid and d.objsubid = 0
    -- neither row types of relations nor array types
    where (t.typrelid = 0 or c.relkind = 'c')
        and not exists (select from pg_catalog.pg_type e where e.typarray = t.oid)
        and not exists (
            select from members m where m.classid = 'pg_catalog.pg_type'::pg_catalog.regclass and m.objid = t.oid
        )
),
access as (
    select case r.kind when 'S' then 'sequence' when 'v' then 'view' when 'm' then 'view' else 'table' end as kind,
        r.schema, r.name, null::name as column, c.relowner as owner, c.relacl as privileges
    from relations r
    join pg_catalog.pg_class c on c.oid = r.oid
    union all
    select case r.kind when 'v' then 'view' when 'm' then 'view' else 'table' end,
        r.schema, r.name, a.attname, c.relowner, a.attacl
    from relations r
    join pg_catalog.pg_class c on c.oid = r.oid
    join pg_catalog.pg_attribute a on a.attrelid = r.oid
    where a.attacl is not null and a.attnum > 0 and not a.attisdropped
    union all
    select 'schema', n.name, n.name, null, o.nspowner, o.nspacl
    from namespaces n
    join pg_catalog.pg_namespace o on o.oid = n.oid
    union all
    select 'type', t.schema, t.name, null, o.typowner, o.typacl
    from types t
    join pg_catalog.pg_type o on o.oid = t.oid
    where t.kind in ('e', 'd', 'c')
)
select pg_catalog.json_build_object(
    'schemas', (
        select pg_catalog.json_agg(pg_catalog.json_build_object('name', n.name, 'comment', d.description))
        from namespaces n
        left join pg_catalog.pg_description d
            on d.classoid = 'pg_catalog.pg_namespace'::pg_catalog.regclass and d.objoid = n.oid and d.objsubid = 0
        where n.name <> 'public' and not exists (
            select from members m where m.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass and m.objid = n.oid
        )
    ),
    'extensions', (
        select pg_catalog.json_agg(pg_catalog.json_build_object('name', e.extname, 'schema', n.nspname, 'version', e.extversion))
        from pg_catalog.pg_extension e
        join pg_catalog.pg_namespace n on n.oid = e.extnamespace
        where e.extname <> 'plpgsql'
    ),
    'tables', (
        select pg_catalog.json_agg(pg_catalog.json_build_object(
            'oid', r.oid,
            'schema', r.schema,
            'name', r.name,
            'unlogged', r.persistence = 'u',
            'partition_key', case when r.kind = 'p' then pg_catalog.pg_get_partkeydef(r.oid) end,
            'bound', case when r.partition then pg_catalog.pg_get_expr(r.bound, r.oid) end,
            'parents', (
                select pg_catalog.json_agg(pg_catalog.json_build_array(n.nspname, p.relname) order by h.inhseqno)
                from pg_catalog.pg_inherits h
                join pg_catalog.pg_class p on p.oid = h.inhparent
                join pg_catalog.pg_namespace n on n.oid = p.relnamespace
                where h.inhrelid = r.oid
            ),
            'storage', array(
                select o from pg_catalog.unnest(r.options) o
                union all
                select 'toast.' || o
                from pg_catalog.pg_class t, pg_catalog.unnest(t.reloptions) o where t.oid = r.toast
            ),
            'method', (select m.amname from pg_catalog.pg_am m where m.oid = r.method and m.amname <> 'heap'),
            'tablespace', (select s.spcname from pg_catalog.pg_tablespace s where s.oid = r.tablespace),
            'row_security', pg_catalog.json_build_object('enabled', r.row_security, 'forced', r.row_security_forced),
            'comment', r.comment
        ))
        from tables r
    ),
    'columns', (select pg_catalog.json_agg(pg_catalog.row_to_json(c) order by c.table, c.attnum) from columns c),
    'constraints', (
        select pg_catalog.json_agg(pg_catalog.row_to_json(c) order by c.table, c.columns, c.name) from constraints c
    ),
    'indexes', (select pg_catalog.json_agg(pg_catalog.row_to_json(i) order by i.table, i.name) from indexes i),
    'policies', (select pg_catalog.json_agg(pg_catalog.row_to_json(p) order by p.table, p.name) from policies p),
    'enums', (
        select pg_catalog.json_agg(pg_catalog.json_build_object(
            'schema', t.schema,
            'name', t.name,
            'labels', array(select l.enumlabel from pg_catalog.pg_enum l where l.enumtypid = t.oid order by l.enumsortorder),
            'comment', t.comment
        ))
        from types t where t.kind = 'e'
    ),
    'domains', (
        select pg_catalog.json_agg(pg_catalog.json_build_object(
            'schema', t.schema,
            'name', t.name,
            'type', pg_catalog.format_type(o.typbasetype, o.typtypmod),
            'collation', (
                select c.collname
                from pg_catalog.pg_collation c
                join pg_catalog.pg_type b on b.oid = o.typbasetype
                where c.oid = o.typcollation and o.typcollation <> b.typcollation
            ),
            'default', pg_catalog.pg_get_expr(o.typdefaultbin, 0),
            'not_null', o.typnotnull,
            'checks', (
                select pg_catalog.json_agg(pg_catalog.json_build_object(
                    'name', c.conname,
                    'expression', pg_catalog.pg_get_expr(c.conbin, 0),
                    'validated', c.convalidated
                ))
                from pg_catalog.pg_constraint c
                where c.contypid = t.oid and c.contype = 'c'
            ),
            'comment', t.comment
        ))
        from types t
        join pg_catalog.pg_type o on o.oid = t.oid
        where t.kind = 'd'
    ),
    'composites', (
        select pg_catalog.json_agg(pg_catalog.json_build_object(
            'schema', t.schema,
            'name', t.name,
            'attributes', (
                select pg_catalog.json_agg(pg_catalog.json_build_object(
                    'name', a.attname,
                    'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
                    'collation', c.collname
                ) order by a.attnum)
                from pg_catalog.pg_attribute a
                join pg_catalog.pg_type b on b.oid = a.atttypid
                left join pg_catalog.pg_collation c on c.oid = a.attcollation and a.attcollation <> b.typcollation
                where a.attrelid = t.relation and a.attnum > 0 and not a.attisdropped
            ),
            'comment', t.comment
        ))
        from types t where t.kind = 'c'
    ),
    'sequences', (
        select pg_catalog.json_agg(pg_catalog.json_build_object(
            'schema', s.schema,
            'name', s.name,
            'options', s.options,
            'owner_schema', o.schema,
            'owner_name', o.name,
            'owner_column', a.attname,
            'comment', s.comment
        ))
        from sequences s
        left join relations o on o.oid = s.relation
        left join pg_catalog.pg_attribute a on a.attrelid = s.relation and a.attnum = s.attribute
        where not s.identity
    ),
    'views', (
        select pg_catalog.json_agg(pg_catalog.json_build_object(
            'oid', r.oid,
            'schema', r.schema,
            'name', r.name,
            'materialized', r.kind = 'm',
            'storage', r.options,
            'query', pg_catalog.pg_get_viewdef(r.oid),
            'comment', r.comment
        ))
        from relations r where r.kind in ('v', 'm')
    ),
    'access', (
        select pg_catalog.json_agg(pg_catalog.json_build_object(
            'kind', a.kind,
            'schema', a.schema,
            'name', a.name,
            'column', a.column,
            'owner', pg_catalog.pg_get_userbyid(a.owner),
            'privileges', case when a.privileges is not null then (
                select coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
                    'role', case when p.grantee = 0 then 'public' else pg_catalog.pg_get_userbyid(p.grantee) end,
                    'action', pg_catalog.lower(p.privilege_type),
                    'grantable', p.is_grantable
                )), '[]')
                from pg_catalog.aclexplode(a.privileges) p
            ) end
        ))
        from access a
    ),
    'others', (
        select pg_catalog.json_agg(o) from (
            select r.schema, r.name, true as relation from relations r
            where r.kind = 'f'
            union all
            select t.schema, t.name, false from types t
            where t.kind in ('r', 'm', 'b')
        ) o
    ),
    'routines', (
        select pg_catalog.json_agg(pg_catalog.json_build_object(
            'schema', n.name,
            'name', p.proname,
            'procedure', p.prokind = 'p',
            'types', array(
                select pg_catalog.format_type(a.type, null)
                from pg_catalog.unnest(coalesce(p.proallargtypes, p.proargtypes::pg_catalog.oid[])) with ordinality a (type, place)
                order by a.place
            ),
            'modes', p.proargmodes::pg_catalog.text[],
            'names', p.proargnames,
            'defaults', case when p.pronargdefaults > 0 then array(
                select pg_catalog.pg_get_function_arg_default(p.oid, place)
                from pg_catalog.generate_series(1, coalesce(pg_catalog.cardinality(p.proallargtypes), p.pronargs::integer)) place
                order by place
            ) end,
            'returns', pg_catalog.format_type(p.prorettype, null),
            'set', p.proretset,
            'language', l.lanname,
            'source', p.prosrc,
            'library', p.probin,
            -- a body that the server has understood has no source
            'definition', case when l.lanname = 'sql' and p.prosrc = '' then pg_catalog.pg_get_functiondef(p.oid) end,
            'volatility', p.provolatile,
            'strict', p.proisstrict,
            'security_definer', p.prosecdef,
            'leakproof', p.proleakproof,
            'parallel', p.proparallel,
            'cost', p.procost::pg_catalog.text,
            'rows', p.prorows::pg_catalog.text,
            'settings', p.proconfig,
            'comment', d.description
        ))
        from pg_catalog.pg_proc p
        join namespaces n on n.oid = p.pronamespace
        join pg_catalog.pg_language l on l.oid = p.prolang
        left join pg_catalog.pg_description d
            on d.classoid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.objoid = p.oid
        where p.prokind in ('f', 'p') and p.prosupport = 0 and p.protrftypes is null and not exists (
            select from members m where m.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and m.objid = p.oid
        )
        -- the constructors of a range type come and go with it
        and not exists (
            select from pg_catalog.pg_depend own
            where own.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and own.objid = p.oid and own.deptype = 'i'
        )
    ),
    'triggers', (
        select pg_catalog.json_agg(pg_catalog.json_build_object(
            'schema', r.schema,
            'relation', r.name,
            'name', t.tgname,
            'type', t.tgtype,
            'columns', array(
                select a.attname
                from pg_catalog.unnest(t.tgattr::smallint[]) with ordinality k (number, place)
                join pg_catalog.pg_attribute a on a.attrelid = t.tgrelid and a.attnum = k.number
                order by k.place
            ),
            'old_table', t.tgoldtable,
            'new_table', t.tgnewtable,
            'function_schema', n.nspname,
            'function_name', p.proname,
            'definition', case when t.tgqual is not null or t.tgnargs > 0 then pg_catalog.pg_get_triggerdef(t.oid) end,
            'constraint', t.tgconstraint <> 0,
            'deferrable', t.tgdeferrable,
            'deferred', t.tginitdeferred,
            'from_schema', other.schema,
            'from_name', other.name,
            'enabled', t.tgenabled,
            'comment', d.description
        ))
        from relations r
        join pg_catalog.pg_trigger t on t.tgrelid = r.oid
        join pg_catalog.pg_proc p on p.oid = t.tgfoid
        join pg_catalog.pg_namespace n on n.oid = p.pronamespace
        left join relations other on other.oid = t.tgconstrrelid
        left join pg_catalog.pg_description d
            on d.classoid = 'pg_catalog.pg_trigger'::pg_catalog.regclass and d.objoid = t.oid
        -- neither those of foreign keys nor those that partitions have from their table
        where not t.tgisinternal and t.tgparentid = 0 and not exists (
            select from members m where m.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass and m.objid = t.oid
        )
    )
)::text
