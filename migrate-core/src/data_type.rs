//! Column types, spelt as PostgreSQL's `format_type` spells them.

mod cast;
mod narrowing;

pub use narrowing::Narrowing;

use crate::name::{DEFAULT_SCHEMA, Name, QualifiedName};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A type, in the one spelling that `format_type` gives with an empty search path: `character varying(50)`,
/// `timestamp with time zone`, `integer[]`, `public.status`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DataType {
    /// Which type.
    pub base: BaseType,
    /// What stands in parentheses: `10,2` of `numeric(10,2)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modifier: Option<String>,
    /// Whether it is an array of the base type; PostgreSQL forgets dimensions and lengths.
    #[serde(default)]
    pub array: bool,
    /// The name as it was written, for positions.
    #[serde(skip)]
    pub written: Option<Name>,
}

impl PartialEq for DataType {
    fn eq(&self, other: &Self) -> bool {
        self.base == other.base && self.modifier == other.modifier && self.array == other.array
    }
}
impl Eq for DataType {}

/// A type without its modifier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BaseType {
    /// A type of `pg_catalog`, by the name that `format_type` gives it.
    Builtin(String),
    /// Any other type: enum, domain, composite, or one of an extension.
    Named(QualifiedName),
}

impl DataType {
    /// Reads a type from its words, its modifier (what stood in parentheses, where they stood) and its array brackets.
    ///
    /// `words` are lower-cased key words or one identifier, e.g. `["timestamp", "with", "time", "zone"]`; the schema is
    /// `None` where none was written.
    #[must_use]
    pub fn from_words(schema: Option<&Name>, words: &[Name], modifier: Option<String>, array: bool) -> Self {
        let written = words.first().cloned();
        let joined = words.iter().map(Name::as_str).collect::<Vec<_>>().join(" ");
        let modifier = modifier.map(|text| text.chars().filter(|c| !c.is_whitespace()).collect::<String>());
        let builtin = match schema {
            Some(schema) if schema.as_str() != "pg_catalog" => None,
            _ => canonical(&joined),
        };
        if builtin.is_none() && joined.starts_with("interval ") {
            return Self { base: BaseType::Builtin(joined), modifier, array, written };
        }
        let Some(name) = builtin else {
            let name = words.last().cloned().unwrap_or_else(|| Name::new(joined));
            let schema = schema.cloned().unwrap_or_else(|| Name::new(DEFAULT_SCHEMA));
            return Self { base: BaseType::Named(QualifiedName { schema, name }), modifier, array, written };
        };
        let modifier = match (name, modifier) {
            ("character" | "bit", None) if joined != "bpchar" => Some("1".to_owned()),
            ("numeric", Some(precision)) if !precision.contains(',') => Some(format!("{precision},0")),
            // float(p) only chooses between the two sizes
            ("real" | "double precision", Some(precision)) => {
                let single = precision.parse::<u32>().is_ok_and(|bits| bits <= 24);
                return Self {
                    base: BaseType::Builtin(if single { "real" } else { "double precision" }.to_owned()),
                    modifier: None,
                    array,
                    written,
                };
            }
            (_, modifier) => modifier,
        };
        Self { base: BaseType::Builtin(name.to_owned()), modifier, array, written }
    }

    /// Reads what `format_type` printed with an empty search path.
    #[must_use]
    pub fn from_catalog(text: &str) -> Self {
        let (text, array) = text.strip_suffix("[]").map_or((text, false), |base| (base, true));
        let (name, modifier) = match (text.find('('), text.find(')')) {
            (Some(open), Some(close)) if open < close => {
                (format!("{}{}", &text[..open], &text[close + 1..]), Some(text[open + 1..close].to_owned()))
            }
            _ => (text.to_owned(), None),
        };
        let base = if name.contains('.') {
            let parts = split_qualified(&name);
            BaseType::Named(QualifiedName::new(parts.0, parts.1))
        } else {
            BaseType::Builtin(name)
        };
        Self { base, modifier, array, written: None }
    }

    /// The type of an array's elements, or the type itself.
    #[must_use]
    pub fn element(&self) -> Self {
        Self { array: false, ..self.clone() }
    }

    /// The name of a type that isn't built in.
    #[must_use]
    pub fn named(&self) -> Option<&QualifiedName> {
        match &self.base {
            BaseType::Named(name) => Some(name),
            BaseType::Builtin(_) => None,
        }
    }

    /// As SQL, qualified.
    #[must_use]
    pub fn sql(&self) -> String {
        let mut sql = match (&self.base, &self.modifier) {
            (BaseType::Builtin(name), Some(modifier)) => match name.split_once(' ') {
                Some((first @ ("timestamp" | "time"), rest)) => format!("{first}({modifier}) {rest}"),
                _ => format!("{name}({modifier})"),
            },
            (BaseType::Builtin(name), None) => name.clone(),
            (BaseType::Named(name), Some(modifier)) => format!("{}({modifier})", name.quoted()),
            (BaseType::Named(name), None) => name.quoted(),
        };
        // `character` without a length means character(1), and the unlimited one has its own name
        if sql == "character" {
            "bpchar".clone_into(&mut sql);
        }
        if self.array {
            sql.push_str("[]");
        }
        sql
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sql())
    }
}

fn split_qualified(text: &str) -> (String, String) {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                parts.last_mut().into_iter().for_each(|part| part.push('"'));
            }
            '"' => quoted = !quoted,
            '.' if !quoted => parts.push(String::new()),
            c => parts.last_mut().into_iter().for_each(|part| part.push(c)),
        }
    }
    let name = parts.pop().unwrap_or_default();
    (parts.pop().unwrap_or_else(|| DEFAULT_SCHEMA.to_owned()), name)
}

/// The type of one byte, which has to be quoted: without the quotes it is another one.
pub(crate) const CHARACTER: &str = "\"char\"";

/// The name that `format_type` prints for a built-in type, whatever it was called. `None` if it isn't built in.
fn canonical(words: &str) -> Option<&'static str> {
    Some(match words {
        "int" | "integer" | "int4" => "integer",
        "bigint" | "int8" => "bigint",
        "smallint" | "int2" => "smallint",
        "varchar" | "character varying" | "char varying" | "nchar varying" | "national character varying" | "national char varying" => {
            "character varying"
        }
        "char" | "character" | "nchar" | "bpchar" | "national character" | "national char" => "character",
        "bool" | "boolean" => "boolean",
        "float4" | "real" => "real",
        "float8" | "float" | "double precision" => "double precision",
        "decimal" | "dec" | "numeric" => "numeric",
        "timestamptz" | "timestamp with time zone" => "timestamp with time zone",
        "timestamp" | "timestamp without time zone" => "timestamp without time zone",
        "timetz" | "time with time zone" => "time with time zone",
        "time" | "time without time zone" => "time without time zone",
        "varbit" | "bit varying" => "bit varying",
        CHARACTER => CHARACTER,
        other => BUILTIN[BUILTIN.binary_search(&other).ok()?],
    })
}

/// Types of `pg_catalog` that `format_type` prints under their own name, sorted.
const BUILTIN: &[&str] = &[
    "aclitem",
    "any",
    "anyarray",
    "anycompatible",
    "anycompatiblearray",
    "anycompatiblemultirange",
    "anycompatiblenonarray",
    "anycompatiblerange",
    "anyelement",
    "anyenum",
    "anymultirange",
    "anynonarray",
    "anyrange",
    "bit",
    "box",
    "bytea",
    "cid",
    "cidr",
    "circle",
    "cstring",
    "date",
    "datemultirange",
    "daterange",
    "event_trigger",
    "fdw_handler",
    "index_am_handler",
    "inet",
    "int2vector",
    "int4multirange",
    "int4range",
    "int8multirange",
    "int8range",
    "internal",
    "interval",
    "json",
    "jsonb",
    "jsonpath",
    "language_handler",
    "line",
    "lseg",
    "macaddr",
    "macaddr8",
    "money",
    "name",
    "nummultirange",
    "numrange",
    "oid",
    "oidvector",
    "path",
    "pg_ddl_command",
    "pg_lsn",
    "pg_snapshot",
    "point",
    "polygon",
    "record",
    "refcursor",
    "regclass",
    "regcollation",
    "regconfig",
    "regdictionary",
    "regnamespace",
    "regoper",
    "regoperator",
    "regproc",
    "regprocedure",
    "regrole",
    "regtype",
    "table_am_handler",
    "text",
    "tid",
    "trigger",
    "tsm_handler",
    "tsmultirange",
    "tsquery",
    "tsrange",
    "tstzmultirange",
    "tstzrange",
    "tsvector",
    "txid_snapshot",
    "uuid",
    "void",
    "xid",
    "xid8",
    "xml",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &str, modifier: Option<&str>) -> String {
        let words: Vec<Name> = words.split(' ').map(Name::new).collect();
        DataType::from_words(None, &words, modifier.map(str::to_owned), false).sql()
    }

    #[test]
    fn builtin_names_are_sorted() {
        assert!(BUILTIN.is_sorted());
    }

    #[test]
    fn aliases_become_the_catalog_spelling() {
        assert_eq!(read("varchar", Some("50")), "character varying(50)");
        assert_eq!(read("timestamptz", Some("3")), "timestamp(3) with time zone");
        assert_eq!(read("decimal", Some("10, 2")), "numeric(10,2)");
        assert_eq!(read("numeric", Some("10")), "numeric(10,0)");
        assert_eq!(read("char", None), "character(1)");
        assert_eq!(read("float", Some("24")), "real");
        assert_eq!(read("float", Some("25")), "double precision");
        assert_eq!(read("status", None), "public.status");
        assert_eq!(read("interval", Some("3")), "interval(3)");
        assert_eq!(read("interval day to second", Some("3")), "interval day to second(3)");
        assert_eq!(read("\"char\"", None), "\"char\"");
    }

    #[test]
    fn reads_back_its_own_spelling() {
        for text in [
            "timestamp(3) with time zone",
            "character varying(50)[]",
            "public.\"Odd.Name\"",
            "numeric(10,2)",
            "integer",
            "\"char\"",
            "interval second(3)",
        ] {
            assert_eq!(DataType::from_catalog(text).sql(), text);
        }
    }
}
