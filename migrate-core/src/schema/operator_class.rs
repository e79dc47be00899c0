//! Operator classes that mean nothing: the default of their type, which PostgreSQL takes anyway and its catalog doesn't
//! tell from none.

/// What of an operator class, written as `schema.class (name=value)`, tells one index from another. The schema doesn't:
/// it is where somebody installed an extension.
pub(super) fn significant<'a>(method: &str, class: &'a str) -> Option<&'a str> {
    let qualified = class.split_once(" (").map_or(class, |(name, _)| name);
    let start = qualified.rfind('.').map_or(0, |dot| dot + 1);
    let class = class.get(start..).unwrap_or_default();
    (class.contains('(') || !is_default(method, class)).then_some(class)
}

/// Whether `class` of the access method `method` is its type's default, in PostgreSQL itself or in a common extension.
fn is_default(method: &str, class: &str) -> bool {
    let among = |list: &str, name: Option<&str>| name.is_some_and(|name| list.split(' ').any(|default| default == name));
    match method {
        "btree" | "hash" => among(BTREE_OR_HASH, class.strip_suffix("_ops")),
        "gin" => among(GIN, class.strip_suffix("_ops")),
        "gist" => among(GIST, Some(class)),
        "spgist" => among(SPGIST, Some(class)),
        "brin" => among(BRIN_INCLUSION, Some(class)) || among(BRIN_MINMAX, class.strip_suffix("_minmax_ops")),
        "bloom" => matches!(class, "int4_ops" | "text_ops"),
        "ivfflat" => class == "vector_l2_ops",
        _ => false,
    }
}

const SPGIST: &str = "box_ops inet_ops poly_ops quad_point_ops range_ops spgist_geometry_ops_2d text_ops";

const BRIN_INCLUSION: &str = "box_inclusion_ops brin_geometry_inclusion_ops_2d inet_inclusion_ops range_inclusion_ops";

const BTREE_OR_HASH: &str = "\
    aclitem array bit bool bpchar btree_hstore bytea char cid citext cube date ean13 enum float4 float8 hash_hstore \
    inet int2 int4 int8 interval isbn isbn13 ismn ismn13 issn issn13 jsonb ltree macaddr macaddr8 money multirange \
    name numeric oid oidvector pg_lsn range record seg text tid time timestamp timestamptz timetz tsquery tsvector \
    upc uuid varbit xid xid8";

const GIN: &str = "\
    array bit bool bpchar bytea char cidr date enum float4 float8 gin_hstore inet int2 int4 int8 interval jsonb \
    macaddr macaddr8 money name numeric oid text time timestamp timestamptz timetz tsvector uuid varbit varchar";

const GIST: &str = "\
    box_ops circle_ops gist__int_ops gist__ltree_ops gist_bit_ops gist_bool_ops gist_bpchar_ops gist_bytea_ops \
    gist_cash_ops gist_cidr_ops gist_cube_ops gist_date_ops gist_enum_ops gist_float4_ops gist_float8_ops \
    gist_geography_ops gist_geometry_ops_2d gist_hstore_ops gist_inet_ops gist_int2_ops gist_int4_ops gist_int8_ops \
    gist_interval_ops gist_ltree_ops gist_macaddr8_ops gist_macaddr_ops gist_numeric_ops gist_oid_ops gist_seg_ops \
    gist_text_ops gist_time_ops gist_timestamp_ops gist_timestamptz_ops gist_timetz_ops gist_uuid_ops gist_vbit_ops \
    multirange_ops point_ops poly_ops range_ops tsquery_ops tsvector_ops";

const BRIN_MINMAX: &str = "\
    bit bpchar bytea char date float4 float8 int2 int4 int8 interval macaddr macaddr8 name numeric oid pg_lsn text \
    tid time timestamp timestamptz timetz uuid varbit";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_class_says_nothing() {
        assert_eq!(significant("btree", "text_ops"), None);
        assert_eq!(significant("gin", "pg_catalog.jsonb_ops"), None);
        assert_eq!(significant("btree", "text_pattern_ops"), Some("text_pattern_ops"));
        assert_eq!(significant("gin", "public.gin_trgm_ops"), Some("gin_trgm_ops"));
        assert_eq!(significant("gist", "inet_ops"), Some("inet_ops"));
        assert_eq!(significant("gist", "tsvector_ops (siglen=500)"), Some("tsvector_ops (siglen=500)"));
        assert_eq!(significant("gin", "extensions.gin_trgm_ops"), Some("gin_trgm_ops"));
    }
}
