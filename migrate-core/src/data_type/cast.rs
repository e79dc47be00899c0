//! What PostgreSQL does with the values of a column whose type changes.

use super::{BaseType, DataType};

/// Casts between built-in types that PostgreSQL applies in an assignment: `castcontext` of `pg_cast` is `a` or `i` in
/// versions 13 to 18. Casts to strings are not listed: everything has one. Sorted by source.
const ASSIGNMENT_CASTS: &[(&str, &[&str])] = &[
    ("bigint", &["double precision", "integer", "money", "numeric", "oid", "real", "smallint"]),
    ("bit", &["bit varying"]),
    ("bit varying", &["bit"]),
    ("box", &["polygon"]),
    ("cidr", &["inet"]),
    ("date", &["timestamp with time zone", "timestamp without time zone"]),
    ("double precision", &["bigint", "integer", "numeric", "real", "smallint"]),
    ("inet", &["cidr"]),
    ("integer", &["bigint", "double precision", "money", "numeric", "oid", "real", "smallint"]),
    ("interval", &["time without time zone"]),
    ("json", &["jsonb"]),
    ("jsonb", &["json"]),
    ("macaddr", &["macaddr8"]),
    ("macaddr8", &["macaddr"]),
    ("money", &["numeric"]),
    ("numeric", &["bigint", "double precision", "integer", "money", "real", "smallint"]),
    ("oid", &["bigint", "integer"]),
    ("path", &["polygon"]),
    ("point", &["box"]),
    ("polygon", &["path"]),
    ("real", &["bigint", "double precision", "integer", "numeric", "smallint"]),
    ("smallint", &["bigint", "double precision", "integer", "numeric", "oid", "real"]),
    ("time with time zone", &["time without time zone"]),
    ("time without time zone", &["interval", "time with time zone"]),
    ("timestamp with time zone", &["date", "time with time zone", "time without time zone", "timestamp without time zone"]),
    ("timestamp without time zone", &["date", "time without time zone", "timestamp with time zone"]),
];

/// Casts that keep every value, besides those that don't even need a rewrite.
const LOSSLESS_CASTS: &[(&str, &[&str])] = &[
    ("bigint", &["numeric"]),
    ("date", &["timestamp with time zone", "timestamp without time zone"]),
    ("integer", &["bigint", "double precision", "numeric"]),
    ("macaddr", &["macaddr8"]),
    ("real", &["double precision"]),
    ("smallint", &["bigint", "double precision", "integer", "numeric", "real"]),
    ("time without time zone", &["interval"]),
];

/// Types whose values in a column are text, and that PostgreSQL converts everything to.
const STRINGS: &[&str] = &["character", "character varying", "text"];

impl DataType {
    /// Whether it is `smallint`, `integer` or `bigint`.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        !self.array && self.builtin().is_some_and(|name| matches!(name, "smallint" | "integer" | "bigint"))
    }

    fn builtin(&self) -> Option<&str> {
        match &self.base {
            BaseType::Builtin(name) => Some(name),
            BaseType::Named(_) => None,
        }
    }

    fn is_string(&self) -> bool {
        !self.array && self.builtin().is_some_and(|name| STRINGS.contains(&name))
    }

    /// Whether PostgreSQL converts values by itself when a column changes from this type to the other; `None` where that
    /// depends on what isn't built in.
    #[must_use]
    pub fn converts_to(&self, other: &Self) -> Option<bool> {
        if (self.base == other.base && self.array == other.array) || other.is_string() {
            return Some(true);
        }
        if self.array != other.array {
            return Some(false);
        }
        let (from, to) = (self.builtin()?, other.builtin()?);
        // other types have casts of their own between them, which are not listed: the registration types, `name`, `xml`
        let known = |name: &str| ASSIGNMENT_CASTS.iter().any(|(source, _)| *source == name) || OTHERS.contains(&name);
        let strings = STRINGS.contains(&from);
        if !(strings || known(from)) || !known(to) {
            return if STRINGS.contains(&to) { Some(true) } else { None };
        }
        Some(lists(ASSIGNMENT_CASTS, from, to))
    }

    /// Whether every stored value of this type is one of the other as it stands, so that PostgreSQL need not rewrite the
    /// table. The sources are `pg_cast` and the support functions of the length coercions (`varchar_support`,
    /// `numeric_support`, `timestamp_support`, `varbit_support`, `interval_support`).
    #[must_use]
    pub fn stores_like(&self, other: &Self) -> bool {
        let same = self.base == other.base && self.array == other.array;
        if same && (self.modifier == other.modifier || other.modifier.is_none()) {
            return true;
        }
        let (Some(from), Some(to), false) = (self.builtin(), other.builtin(), self.array || other.array) else { return false };
        match (from, to) {
            ("character varying" | "xml", "text") | ("cidr", "inet") => true,
            ("text" | "xml", "character varying" | "character") | ("character varying", "character") | ("bit", "bit varying") => {
                other.modifier.is_none()
            }
            ("character varying", "character varying") | ("bit varying", "bit varying") => self.fits_in(other, None),
            ("numeric", "numeric") => self.keeps_digits(other),
            (
                "timestamp with time zone" | "timestamp without time zone" | "time with time zone" | "time without time zone" | "interval",
                same,
            ) if same == from => self.fits_in(other, Some(6)),
            _ => false,
        }
    }

    /// Whether a program that reads values of this type reads those of the other, too.
    #[must_use]
    pub fn reads_like(&self, other: &Self) -> bool {
        (self.base == other.base && self.array == other.array) || (self.is_string() && other.is_string())
    }

    /// Whether the change keeps every value, or fails for one that it can't keep.
    #[must_use]
    pub fn keeps_values(&self, other: &Self) -> bool {
        if self.stores_like(other) || other.is_string() {
            return true;
        }
        if self.array || other.array {
            return self.array == other.array && self.element().keeps_values(&other.element());
        }
        match (self.builtin(), other.builtin()) {
            // too many digits before the point are refused, those behind it are rounded
            (Some("numeric"), Some("numeric")) => match (self.numbers(), other.numbers()) {
                (Some((_, scale)), Some((_, new_scale))) => new_scale >= scale,
                _ => false,
            },
            (Some(from @ ("smallint" | "integer" | "bigint")), Some("numeric")) => lists(LOSSLESS_CASTS, from, "numeric"),
            // what is out of range is refused
            (Some("integer" | "bigint"), Some("smallint" | "integer")) => true,
            (Some(from), Some(to)) => lists(LOSSLESS_CASTS, from, to),
            _ => false,
        }
    }

    /// Whether an explicit cast to `other` shortens some values: where a conversion refuses one that is too long, `::` cuts it
    /// off.
    #[must_use]
    pub fn is_cut_by_cast(&self, other: &Self) -> bool {
        let is_limited = matches!(other.builtin(), Some("character varying" | "character" | "bit varying" | "bit"));
        let Some(limit) = other.modifier.as_ref().filter(|_| is_limited).and_then(|text| text.parse::<u32>().ok()) else { return false };
        let longest = match self.builtin() {
            Some("character varying" | "character" | "bit varying" | "bit") => self.modifier.as_ref().and_then(|text| text.parse().ok()),
            Some("boolean") => Some(5),
            Some("smallint") => Some(6),
            Some("integer") => Some(11),
            Some("bigint") => Some(20),
            Some("uuid") => Some(36),
            _ => None,
        };
        longest.is_none_or(|longest| limit < longest)
    }

    /// Whether the limit of `other` is not below this one's. `none` is what no limit amounts to.
    fn fits_in(&self, other: &Self, none: Option<u32>) -> bool {
        let limit = |modifier: &Option<String>| match modifier {
            None => Some(none.unwrap_or(u32::MAX)),
            Some(text) => text.parse().ok(),
        };
        match (limit(&self.modifier), limit(&other.modifier)) {
            (Some(from), Some(to)) => from <= to,
            _ => false,
        }
    }

    fn keeps_digits(&self, other: &Self) -> bool {
        match (self.numbers(), other.numbers()) {
            (_, None) => other.modifier.is_none(),
            (Some((precision, scale)), Some((new_precision, new_scale))) => scale == new_scale && precision <= new_precision,
            (None, Some(_)) => false,
        }
    }

    /// Precision and scale of `numeric(10,2)`.
    fn numbers(&self) -> Option<(i32, i32)> {
        let (precision, scale) = self.modifier.as_ref()?.split_once(',')?;
        Some((precision.parse().ok()?, scale.parse().ok()?))
    }
}

/// Built-in types that cast to nothing but strings in an assignment.
const OTHERS: &[&str] = &["boolean", "bytea", "circle", "line", "lseg", "tsquery", "tsvector", "uuid"];

fn lists(casts: &[(&str, &[&str])], from: &str, to: &str) -> bool {
    casts.iter().any(|(source, targets)| *source == from && targets.contains(&to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data_type(text: &str) -> DataType {
        DataType::from_catalog(text)
    }

    #[test]
    fn what_postgresql_converts_by_itself() {
        for (from, to, expected) in [
            ("integer", "bigint", Some(true)),
            ("text", "integer", Some(false)),
            ("character varying(36)", "uuid", Some(false)),
            ("uuid", "text", Some(true)),
            ("public.status", "text", Some(true)),
            ("public.status", "public.state", None),
            ("text", "public.status", None),
            ("integer[]", "integer", Some(false)),
            ("integer[]", "text", Some(true)),
            ("integer[]", "bigint[]", Some(true)),
            ("text[]", "integer[]", Some(false)),
            ("boolean", "integer", Some(false)),
            ("text", "regclass", None),
            ("timestamp without time zone", "timestamp with time zone", Some(true)),
        ] {
            assert_eq!(data_type(from).converts_to(&data_type(to)), expected, "{from} to {to}");
        }
    }

    #[test]
    fn what_needs_no_rewrite() {
        for (from, to, expected) in [
            ("character varying(50)", "character varying(100)", true),
            ("character varying(50)", "character varying(49)", false),
            ("character varying(50)", "text", true),
            ("character varying", "character varying(50)", false),
            ("text", "character varying", true),
            ("text", "character varying(50)", false),
            ("character varying(5)[]", "character varying[]", true),
            ("bit varying(5)", "bit varying(9)", true),
            ("character(5)", "text", false),
            ("numeric(10,2)", "numeric(12,2)", true),
            ("numeric(10,2)", "numeric(12,3)", false),
            ("numeric(10,2)", "numeric", true),
            ("numeric", "numeric(10,2)", false),
            ("timestamp(3) with time zone", "timestamp with time zone", true),
            ("timestamp with time zone", "timestamp(6) with time zone", true),
            ("timestamp with time zone", "timestamp(3) with time zone", false),
            ("integer", "bigint", false),
            ("cidr", "inet", true),
            ("character varying(5)[]", "character varying(9)[]", false),
        ] {
            assert_eq!(data_type(from).stores_like(&data_type(to)), expected, "{from} to {to}");
        }
    }

    #[test]
    fn what_loses_nothing() {
        for (from, to, expected) in [
            ("integer", "bigint", true),
            ("bigint", "integer", true),
            ("numeric(10,2)", "numeric(10,1)", false),
            ("double precision", "integer", false),
            ("timestamp with time zone", "date", false),
            ("uuid", "text", true),
            ("integer[]", "bigint[]", true),
        ] {
            assert_eq!(data_type(from).keeps_values(&data_type(to)), expected, "{from} to {to}");
        }
    }
}
