//! Types: PostgreSQL's → those that SQLite stores.
//!
//! | PostgreSQL | SQLite |
//! |---|---|
//! | `smallint`, `integer`, `bigint`, `oid` | `integer` |
//! | `boolean` | `boolean`: 0 and 1 |
//! | `numeric`, `money` | `numeric` |
//! | `real`, `double precision` | `real` |
//! | `bytea` | `blob` |
//! | text, `varchar`, `char`, `uuid`, dates and times, `interval`, `json`, `jsonb`, network addresses, `xml`, bit strings | `text` |
//! | an enum | `text`, and a check constraint |
//! | an array of any of these | `text` |
//!
//! Lengths and precisions are dropped. What a database that others made has besides (`VARCHAR(50)`, `DATETIME`) is kept in
//! capitals: so it can't be taken for a type of PostgreSQL, and a rebuild leaves it alone.

use super::Unsupported;
use crate::data_type::{BaseType, DataType};
use crate::schema::Schema;

/// How SQLite stores a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Storage {
    Integer,
    Boolean,
    Numeric,
    Real,
    Blob,
    Text,
}

impl Storage {
    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::Numeric => "numeric",
            Self::Real => "real",
            Self::Blob => "blob",
            Self::Text => "text",
        }
    }

    pub(super) fn data_type(self) -> DataType {
        DataType::from_catalog(self.sql())
    }

    /// The storage that a type of the projected model means; `None` for one that only the live database has.
    pub(super) fn of_projected(data_type: &DataType) -> Option<Self> {
        let all = [Self::Integer, Self::Boolean, Self::Numeric, Self::Real, Self::Blob, Self::Text];
        all.into_iter().find(|storage| *data_type == storage.data_type())
    }
}

/// How SQLite stores `data_type`. `enums` says which named types are enums.
pub(super) fn storage(data_type: &DataType, schema: &Schema) -> Result<Storage, Unsupported> {
    let name = match &data_type.base {
        BaseType::Builtin(name) => name.as_str(),
        BaseType::Named(name) if schema.enums.contains_key(name) => return Ok(Storage::Text),
        BaseType::Named(name) => return Err(Unsupported::new(format!("SQLite has no type `{name}`"))),
    };
    let storage = match name {
        "smallint" | "integer" | "bigint" | "oid" => Storage::Integer,
        "boolean" => Storage::Boolean,
        "numeric" | "money" => Storage::Numeric,
        "real" | "double precision" => Storage::Real,
        "bytea" | "blob" => Storage::Blob,
        "text" | "character varying" | "character" | "name" | "uuid" | "date" | "interval" | "json" | "jsonb" | "xml" | "inet" | "cidr"
        | "macaddr" | "macaddr8" | "bit" | "bit varying" => Storage::Text,
        name if name.starts_with("time") => Storage::Text,
        _ => return Err(Unsupported::new(format!("SQLite has no type `{}`", data_type.sql()))),
    };
    Ok(if data_type.array { Storage::Text } else { storage })
}

/// Whether a type was read from a live database and is none that this project makes.
pub(super) fn is_foreign(data_type: &DataType) -> bool {
    matches!(&data_type.base, BaseType::Builtin(name) if !name.bytes().any(|byte| byte.is_ascii_lowercase()))
}

/// Reads the type of a column as `pragma_table_xinfo` tells it.
#[must_use]
pub fn live_type(declared: &str) -> DataType {
    let declared = declared.trim();
    let own = DataType::from_catalog(&declared.to_ascii_lowercase());
    if Storage::of_projected(&own).is_some() {
        return own;
    }
    DataType { base: BaseType::Builtin(declared.to_uppercase()), modifier: None, array: false, written: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::QualifiedName;
    use crate::schema::EnumType;

    fn stored(text: &str) -> Result<&'static str, String> {
        let mut schema = Schema::default();
        let labels = EnumType::default();
        schema.enums.insert(QualifiedName::public("status"), labels);
        storage(&crate::expression::read_type(&crate::expression::token_list(text), 0).1, &schema)
            .map(Storage::sql)
            .map_err(|unsupported| unsupported.message)
    }

    #[test]
    fn every_type_has_its_storage() {
        for (types, expected) in [
            ("smallint int bigint int8 oid", "integer"),
            ("bool boolean", "boolean"),
            ("numeric(10,2) decimal money", "numeric"),
            ("real float8 float", "real"),
            ("bytea", "blob"),
            ("text varchar(50) char(2) uuid timestamptz timestamp(3) date time interval jsonb json inet xml", "text"),
            ("status public.status text[] integer[] status[] bytea[]", "text"),
        ] {
            for name in types.split(' ') {
                assert_eq!(stored(name), Ok(expected), "{name}");
            }
        }
        assert_eq!(stored("timestamp(3) with time zone"), Ok("text"));
        assert_eq!(stored("double precision"), Ok("real"));
    }

    #[test]
    fn types_without_a_storage_are_named() {
        assert_eq!(stored("tsvector"), Err("SQLite has no type `tsvector`".to_owned()));
        assert_eq!(stored("vector(3)"), Err("SQLite has no type `vector`".to_owned()));
    }

    #[test]
    fn foreign_types_stay_as_they_are() {
        assert_eq!(live_type("INTEGER").sql(), "integer");
        assert_eq!(live_type("varchar(50)").sql(), "VARCHAR(50)");
        assert!(is_foreign(&live_type("date")));
        assert!(is_foreign(&live_type("")));
        assert!(!is_foreign(&live_type("TEXT")));
    }
}
