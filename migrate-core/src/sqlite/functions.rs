//! Functions: which of PostgreSQL's SQLite has, and under which name.

/// What a call becomes on SQLite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// The word is a key word, and the parenthesis groups.
    Word,
    /// The whole call becomes this.
    Value(&'static str),
    /// SQLite has it.
    Same,
    /// SQLite calls it so.
    Renamed(&'static str),
    /// `cast(… as …)`.
    Cast,
    /// `timezone('utc', …)`.
    TimeZone,
    /// SQLite hasn't got it.
    Unknown,
}

/// A version 4 UUID as text, from random bytes: `xxxxxxxx-xxxx-4xxx-[89ab]xxx-xxxxxxxxxxxx`.
pub(super) const RANDOM_UUID: &str = "lower(hex(randomblob(4))) || '-' || lower(hex(randomblob(2))) || '-4' || \
     substr(lower(hex(randomblob(2))), 2) || '-' || substr('89ab', abs(random() % 4) + 1, 1) || \
     substr(lower(hex(randomblob(2))), 2) || '-' || lower(hex(randomblob(6)))";

pub(super) fn call(name: &str) -> Call {
    match name {
        "now" | "transaction_timestamp" | "statement_timestamp" | "clock_timestamp" | "current_timestamp" | "localtimestamp" => {
            Call::Value("CURRENT_TIMESTAMP")
        }
        "current_time" | "localtime" => Call::Value("CURRENT_TIME"),
        "gen_random_uuid" | "uuid_generate_v4" | "uuidv4" => Call::Value(RANDOM_UUID),
        "char_length" | "character_length" => Call::Renamed("length"),
        "btrim" | "trim" => Call::Renamed("trim"),
        "substring" => Call::Renamed("substr"),
        "strpos" => Call::Renamed("instr"),
        "json_build_object" | "jsonb_build_object" => Call::Renamed("json_object"),
        "json_build_array" | "jsonb_build_array" => Call::Renamed("json_array"),
        "jsonb_array_length" => Call::Renamed("json_array_length"),
        "json_agg" | "jsonb_agg" => Call::Renamed("json_group_array"),
        "cast" => Call::Cast,
        "timezone" => Call::TimeZone,
        name if KEY_WORDS.contains(&name) => Call::Word,
        name if SAME.binary_search(&name).is_ok() => Call::Same,
        _ => Call::Unknown,
    }
}

/// Key words that may stand before a parenthesis.
const KEY_WORDS: &[&str] = &[
    "all",
    "and",
    "any",
    "as",
    "between",
    "by",
    "case",
    "cross",
    "default",
    "distinct",
    "else",
    "end",
    "escape",
    "except",
    "exists",
    "filter",
    "from",
    "glob",
    "having",
    "in",
    "intersect",
    "into",
    "is",
    "join",
    "like",
    "limit",
    "materialized",
    "not",
    "offset",
    "on",
    "or",
    "over",
    "partition",
    "select",
    "set",
    "then",
    "union",
    "using",
    "values",
    "when",
    "where",
];

/// Functions of SQLite (its pages "Built-In Scalar SQL Functions", "Date And Time Functions", "JSON Functions And
/// Operators", "Built-in Aggregate Functions", "Window Functions") that mean the same in PostgreSQL, or that PostgreSQL
/// hasn't got. Sorted.
const SAME: &[&str] = &[
    "abs",
    "avg",
    "coalesce",
    "concat",
    "concat_ws",
    "count",
    "cume_dist",
    "date",
    "datetime",
    "dense_rank",
    "first_value",
    "format",
    "glob",
    "group_concat",
    "hex",
    "ifnull",
    "iif",
    "instr",
    "json",
    "json_array",
    "json_array_length",
    "json_each",
    "json_extract",
    "json_group_array",
    "json_group_object",
    "json_insert",
    "json_object",
    "json_patch",
    "json_quote",
    "json_remove",
    "json_replace",
    "json_set",
    "json_tree",
    "json_type",
    "json_valid",
    "julianday",
    "lag",
    "last_insert_rowid",
    "last_value",
    "lead",
    "length",
    "likelihood",
    "likely",
    "lower",
    "ltrim",
    "max",
    "min",
    "nth_value",
    "ntile",
    "nullif",
    "octet_length",
    "percent_rank",
    "printf",
    "quote",
    "random",
    "randomblob",
    "rank",
    "replace",
    "round",
    "row_number",
    "rtrim",
    "sign",
    "strftime",
    "string_agg",
    "substr",
    "sum",
    "time",
    "timediff",
    "total",
    "typeof",
    "unhex",
    "unicode",
    "unixepoch",
    "unlikely",
    "upper",
    "zeroblob",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_sorted() {
        assert!(SAME.is_sorted());
    }
}
