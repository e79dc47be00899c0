//! Identifiers, and the one place that quotes them.

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;

/// The longest identifier in bytes that PostgreSQL keeps; it silently cuts what is longer (`NAMEDATALEN - 1`).
pub const MAX_BYTES: usize = 63;

/// The schema that unqualified names belong to.
pub const DEFAULT_SCHEMA: &str = "public";

/// What a session's temporary objects are qualified with.
pub const TEMPORARY_SCHEMA: &str = "pg_temp";

/// Where something stands in the text of its statement, as a range of bytes.
///
/// A position says nothing about meaning: it takes no part in comparison, hashing or serialisation.
#[derive(Clone, Copy, Debug, Default)]
pub struct At {
    /// First byte.
    pub start: u32,
    /// First byte after the end.
    pub end: u32,
}

impl PartialEq for At {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for At {}

impl At {
    /// The position of `range` in its statement.
    #[must_use]
    pub fn new(range: Range<usize>) -> Self {
        let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { start: clamp(range.start), end: clamp(range.end) }
    }

    /// The bytes as a range of indices.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// An identifier as PostgreSQL stores it: unquoted, folded to lower case if it was not quoted.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Name {
    text: String,
    /// Where it was written.
    pub at: At,
    /// How many bytes it had before it was cut, if it was.
    uncut: Option<usize>,
}

impl Name {
    /// A name that stands nowhere: generated, or read from a catalog.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), at: At::default(), uncut: None }
    }

    /// A name written at `at`.
    #[must_use]
    pub fn written(text: impl Into<String>, at: At) -> Self {
        Self { text: text.into(), at, uncut: None }
    }

    /// An identifier as written at `at`, cut as PostgreSQL cuts it. Statements that refer to it may write it either way.
    #[must_use]
    pub fn cut(text: impl Into<String>, at: At) -> Self {
        let mut name = Self::written(text, at);
        let bytes = name.text.len();
        if bytes > MAX_BYTES {
            name.text.truncate(name.text.floor_char_boundary(MAX_BYTES));
            name.uncut = Some(bytes);
        }
        name
    }

    /// How many bytes were written.
    #[must_use]
    pub fn written_bytes(&self) -> usize {
        self.uncut.unwrap_or(self.text.len())
    }

    /// The identifier without quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The identifier as it has to be written in SQL, quoted where it must be.
    #[must_use]
    pub fn quoted(&self) -> String {
        quote_identifier(&self.text)
    }
}

impl From<String> for Name {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}
impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}
impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.text
    }
}
impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.text == other
    }
}
impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        self.text == *other
    }
}
impl Eq for Name {}
impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}
impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}
impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.text
    }
}
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A name in a schema. Serialised as `schema.name` parts in an array.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "(Name, Name)", into = "(Name, Name)")]
pub struct QualifiedName {
    /// The schema, `public` where none was written.
    pub schema: Name,
    /// The object's own name.
    pub name: Name,
}

impl QualifiedName {
    /// Whether it is that of a temporary object, which is gone when the session ends.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.schema.as_str() == TEMPORARY_SCHEMA
    }

    /// `schema.name`.
    #[must_use]
    pub fn new(schema: impl Into<Name>, name: impl Into<Name>) -> Self {
        Self { schema: schema.into(), name: name.into() }
    }

    /// A name in the default schema.
    #[must_use]
    pub fn public(name: impl Into<Name>) -> Self {
        Self::new(DEFAULT_SCHEMA, name)
    }

    /// Another name in the same schema.
    #[must_use]
    pub fn sibling(&self, name: impl Into<Name>) -> Self {
        Self { schema: self.schema.clone(), name: name.into() }
    }

    /// `schema.name`, both quoted where they must be.
    #[must_use]
    pub fn quoted(&self) -> String {
        format!("{}.{}", self.schema.quoted(), self.name.quoted())
    }

    /// Where the name was written.
    #[must_use]
    pub fn at(&self) -> At {
        self.name.at
    }
}

impl From<(Name, Name)> for QualifiedName {
    fn from((schema, name): (Name, Name)) -> Self {
        Self { schema, name }
    }
}
impl From<QualifiedName> for (Name, Name) {
    fn from(name: QualifiedName) -> Self {
        (name.schema, name.name)
    }
}

/// As a person reads it: without the default schema.
impl fmt::Display for QualifiedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.schema == DEFAULT_SCHEMA { write!(f, "{}", self.name) } else { write!(f, "{}.{}", self.schema, self.name) }
    }
}

/// Quotes an identifier where PostgreSQL would need it: anything but lower-case letters, digits, `_` and `$`, and every
/// key word that is reserved in any supported server version.
#[must_use]
pub fn quote_identifier(text: &str) -> String {
    let mut bytes = text.bytes();
    let plain = bytes.next().is_some_and(|b| b.is_ascii_lowercase() || b == b'_')
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && KEYWORDS.binary_search(&text).is_err();
    if plain { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}

/// Quotes a string literal. `standard_conforming_strings` is on in every session of ours.
#[must_use]
pub fn quote_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Quotes a text with dollars, so that it keeps its look.
#[must_use]
pub fn dollar_quote(text: &str) -> String {
    let mut tag = "$$".to_owned();
    let mut number = 0_u32;
    while text.contains(&tag) || text.ends_with('$') && tag == "$$" {
        tag = if number == 0 { "$body$".to_owned() } else { format!("$body{number}$") };
        number += 1;
    }
    format!("{tag}{text}{tag}")
}

/// Names separated by commas, quoted.
#[must_use]
pub fn quoted_list<'a>(names: impl IntoIterator<Item = &'a Name>) -> String {
    names.into_iter().map(Name::quoted).collect::<Vec<_>>().join(", ")
}

/// Key words that can't be a bare column or table name in PostgreSQL 13 to 18 or in SQLite, sorted.
const KEYWORDS: &[&str] = &[
    "abort",
    "action",
    "add",
    "after",
    "all",
    "alter",
    "always",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "attach",
    "authorization",
    "autoincrement",
    "before",
    "begin",
    "between",
    "bigint",
    "binary",
    "bit",
    "boolean",
    "both",
    "by",
    "cascade",
    "case",
    "cast",
    "char",
    "character",
    "check",
    "coalesce",
    "collate",
    "collation",
    "column",
    "commit",
    "concurrently",
    "conflict",
    "constraint",
    "create",
    "cross",
    "current",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "database",
    "dec",
    "decimal",
    "default",
    "deferrable",
    "deferred",
    "delete",
    "desc",
    "detach",
    "distinct",
    "do",
    "drop",
    "each",
    "else",
    "end",
    "escape",
    "except",
    "exclude",
    "exclusive",
    "exists",
    "explain",
    "extract",
    "fail",
    "false",
    "fetch",
    "filter",
    "first",
    "float",
    "following",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "generated",
    "glob",
    "grant",
    "greatest",
    "group",
    "grouping",
    "groups",
    "having",
    "if",
    "ignore",
    "ilike",
    "immediate",
    "in",
    "index",
    "indexed",
    "initially",
    "inner",
    "inout",
    "insert",
    "instead",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "isnull",
    "join",
    "json",
    "json_array",
    "json_arrayagg",
    "json_exists",
    "json_object",
    "json_objectagg",
    "json_query",
    "json_scalar",
    "json_serialize",
    "json_table",
    "json_value",
    "key",
    "last",
    "lateral",
    "leading",
    "least",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "match",
    "materialized",
    "merge_action",
    "national",
    "natural",
    "nchar",
    "no",
    "none",
    "normalize",
    "not",
    "nothing",
    "notnull",
    "null",
    "nullif",
    "nulls",
    "numeric",
    "of",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "others",
    "out",
    "outer",
    "over",
    "overlaps",
    "overlay",
    "partition",
    "placing",
    "plan",
    "position",
    "pragma",
    "preceding",
    "precision",
    "primary",
    "query",
    "raise",
    "range",
    "real",
    "recursive",
    "references",
    "regexp",
    "reindex",
    "release",
    "rename",
    "replace",
    "restrict",
    "returning",
    "right",
    "rollback",
    "row",
    "rows",
    "savepoint",
    "select",
    "session_user",
    "set",
    "setof",
    "similar",
    "smallint",
    "some",
    "substring",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "temp",
    "temporary",
    "then",
    "ties",
    "time",
    "timestamp",
    "to",
    "trailing",
    "transaction",
    "treat",
    "trigger",
    "trim",
    "true",
    "unbounded",
    "union",
    "unique",
    "update",
    "user",
    "using",
    "vacuum",
    "values",
    "varchar",
    "variadic",
    "verbose",
    "view",
    "virtual",
    "when",
    "where",
    "window",
    "with",
    "without",
    "xmlattributes",
    "xmlconcat",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlnamespaces",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "xmltable",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_sorted() {
        assert!(KEYWORDS.is_sorted());
    }

    #[test]
    fn quotes_only_what_needs_it() {
        assert_eq!(quote_identifier("documents"), "documents");
        assert_eq!(quote_identifier("Mixed Case"), "\"Mixed Case\"");
        assert_eq!(quote_identifier("order"), "\"order\"");
        assert_eq!(quote_identifier("say \"hi\""), "\"say \"\"hi\"\"\"");
        assert_eq!(quote_identifier("1st"), "\"1st\"");
        assert_eq!(quote_identifier(""), "\"\"");
    }

    #[test]
    fn dollars_are_quoted_by_others() {
        assert_eq!(dollar_quote("select 'a'"), "$$select 'a'$$");
        assert_eq!(dollar_quote("a$$b$body$c"), "$body1$a$$b$body$c$body1$");
        assert_eq!(dollar_quote("a$"), "$body$a$$body$");
    }

    #[test]
    fn position_takes_no_part_in_equality() {
        assert_eq!(Name::new("a"), Name::written("a", At::new(3..4)));
    }
}
