//! Whether an expression has one value for all rows that are there when a column is added.

use super::{Expression, Token, token_list};

impl Expression {
    /// Whether it may give another value for each row: it calls a function that is volatile, or that isn't known. Only
    /// for a default that surely isn't, PostgreSQL adds a column without writing the rows.
    #[must_use]
    pub fn may_be_volatile(&self) -> bool {
        self.may_be_volatile_but_for(|_, _| false)
    }

    /// The same, where it is known of further functions, by their schema, if that is written, and their name, that they are not.
    pub(crate) fn may_be_volatile_but_for(&self, is_stable: impl Fn(Option<&str>, &str) -> bool) -> bool {
        let tokens = token_list(&self.sql);
        tokens.windows(2).enumerate().any(|(i, pair)| {
            let (name, open) = (&pair[0], &pair[1]);
            let before = i.checked_sub(1).map(|before| &tokens[before]);
            if !open.is("(") || before.is_some_and(|before| before.is("::")) {
                return false;
            }
            let of_catalog = match (before, i.checked_sub(2).map(|before| &tokens[before])) {
                (Some(dot), Some(schema)) if dot.is(".") => schema.is_word("pg_catalog"),
                _ => true,
            };
            let schema = match (before, i.checked_sub(2).map(|before| &tokens[before])) {
                (Some(dot), Some(Token::Word(schema) | Token::Quoted(schema))) if dot.is(".") => Some(schema.as_str()),
                _ => None,
            };
            match name {
                Token::Word(word) if of_catalog && (is_listed(WORDS, word) || is_listed(STABLE, word) || is_type_name(&tokens, i)) => false,
                Token::Word(name) | Token::Quoted(name) => !is_stable(schema, name),
                _ => false,
            }
        })
    }
}

/// Whether PostgreSQL has a function of that name, which is found before any other.
pub(crate) fn is_built_in_function(name: &str) -> bool {
    is_listed(STABLE, name) || matches!(name, "clock_timestamp" | "gen_random_uuid" | "nextval" | "random" | "uuidv4" | "uuidv7")
}

fn is_listed(list: &[&str], word: &str) -> bool {
    list.binary_search(&word).is_ok()
}

/// `character varying(5)`, `timestamp(3)` and `public.point(3)` behind `::` or `as` are types.
fn is_type_name(tokens: &[Token], i: usize) -> bool {
    let start = tokens[..i].iter().rposition(|token| !matches!(token, Token::Word(_)));
    start.is_some_and(|start| tokens[start].is("::"))
}

/// Words of the grammar that may stand before a parenthesis.
const WORDS: &[&str] = &[
    "all", "and", "any", "between", "case", "cast", "coalesce", "distinct", "else", "from", "greatest", "ilike", "in", "is", "least",
    "like", "not", "nullif", "or", "row", "select", "similar", "some", "then", "trim", "when",
];

/// Functions of `pg_catalog` that defaults are made of and that are immutable or stable (`provolatile` of `pg_proc` in
/// versions 13 to 18), and `uuid_nil` of `uuid-ossp`.
const STABLE: &[&str] = &[
    "abs",
    "age",
    "array_append",
    "array_cat",
    "array_fill",
    "array_length",
    "array_position",
    "array_prepend",
    "array_remove",
    "array_replace",
    "array_to_json",
    "array_to_string",
    "ascii",
    "bit_length",
    "bool",
    "box",
    "broadcast",
    "btrim",
    "cardinality",
    "ceil",
    "ceiling",
    "char_length",
    "character_length",
    "chr",
    "circle",
    "concat",
    "concat_ws",
    "current_database",
    "current_schema",
    "current_setting",
    "current_user",
    "date",
    "date_part",
    "date_trunc",
    "daterange",
    "decode",
    "div",
    "encode",
    "exp",
    "extract",
    "factorial",
    "floor",
    "format",
    "gcd",
    "get_byte",
    "hashtext",
    "host",
    "inet_client_addr",
    "initcap",
    "int4",
    "int4range",
    "int8",
    "int8range",
    "interval",
    "isfinite",
    "json_build_array",
    "json_build_object",
    "json_object",
    "jsonb_build_array",
    "jsonb_build_object",
    "jsonb_object",
    "jsonb_set",
    "justify_days",
    "justify_hours",
    "justify_interval",
    "lcm",
    "left",
    "length",
    "line",
    "ln",
    "log",
    "lower",
    "lpad",
    "lseg",
    "ltrim",
    "macaddr",
    "make_date",
    "make_interval",
    "make_time",
    "make_timestamp",
    "make_timestamptz",
    "masklen",
    "md5",
    "mod",
    "network",
    "now",
    "numeric",
    "numrange",
    "octet_length",
    "overlay",
    "parse_ident",
    "path",
    "pg_backend_pid",
    "pi",
    "point",
    "polygon",
    "position",
    "power",
    "quote_ident",
    "quote_literal",
    "quote_nullable",
    "regexp_match",
    "regexp_replace",
    "regexp_split_to_array",
    "repeat",
    "replace",
    "reverse",
    "right",
    "round",
    "row_to_json",
    "rpad",
    "rtrim",
    "session_user",
    "set_bit",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "sign",
    "split_part",
    "sqrt",
    "statement_timestamp",
    "string_to_array",
    "strpos",
    "substr",
    "substring",
    "text",
    "timestamp",
    "timestamptz",
    "timezone",
    "to_ascii",
    "to_char",
    "to_date",
    "to_hex",
    "to_json",
    "to_jsonb",
    "to_number",
    "to_regclass",
    "to_regtype",
    "to_timestamp",
    "to_tsquery",
    "to_tsvector",
    "transaction_timestamp",
    "translate",
    "trunc",
    "tsrange",
    "tstzrange",
    "txid_current",
    "upper",
    "uuid_nil",
    "version",
    "width_bucket",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted() {
        assert!(WORDS.is_sorted());
        assert!(STABLE.is_sorted());
    }

    #[test]
    fn only_known_functions_are_stable() {
        for sql in [
            "now()",
            "'x'",
            "current_timestamp",
            "(1 + 2) * 3",
            "timezone('utc'::text, now())",
            "'a'::varchar(5)",
            "'x'::character varying(5)",
            "cast('1' as numeric(10, 2))",
            "pg_catalog.now()",
            "array[]::text[]",
            "jsonb_build_object('a', 1)",
            "date_trunc('day', now())",
            "1 in (1, 2)",
        ] {
            assert!(!Expression::new(sql).may_be_volatile(), "{sql}");
        }
        for sql in ["gen_random_uuid()", "public.now()", "clock_timestamp()", "nextval('a')", "\"f\"()", "lower(my_function())", "RANDOM()"]
        {
            assert!(Expression::new(sql).may_be_volatile(), "{sql}");
        }
    }
}
