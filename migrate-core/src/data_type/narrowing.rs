//! Which types hold less than others.

use super::{BaseType, DataType};

/// What becomes of values that the new type of their column doesn't hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Narrowing {
    /// They are refused, and the change with them.
    Refuses,
    /// They are rounded, or cut to what fits.
    Cuts,
}

impl DataType {
    /// What becomes of the values of this type that the other doesn't hold, where PostgreSQL casts them; `None` if it
    /// holds them all, or if that isn't known. A cast that is written out cuts strings that an assignment refuses.
    #[must_use]
    pub fn narrows_to(&self, other: &Self, explicitly: bool) -> Option<Narrowing> {
        if self.array != other.array || self.stores_like(other) {
            return None;
        }
        if self.array {
            return self.element().narrows_to(&other.element(), explicitly);
        }
        let (BaseType::Builtin(from), BaseType::Builtin(to)) = (&self.base, &other.base) else { return None };
        let (from, to) = (from.as_str(), to.as_str());
        if is_string(to) {
            let fits = other.length().is_none() || self.longest().is_some_and(|longest| Some(longest) <= other.length());
            let of_known_length = is_string(from) || self.longest().is_some();
            let what = if explicitly { Narrowing::Cuts } else { Narrowing::Refuses };
            return Some(what).filter(|_| !fits && of_known_length);
        }
        if is_string(from) {
            return Some(Narrowing::Refuses);
        }
        match (from, to) {
            ("numeric" | "double precision" | "real", "bigint" | "integer" | "smallint")
            | ("double precision" | "numeric", "real")
            | ("numeric", "double precision")
            | ("timestamp with time zone" | "timestamp without time zone", "date" | "time with time zone" | "time without time zone")
            | ("interval", "time without time zone") => Some(Narrowing::Cuts),
            ("numeric", "numeric") => self.loses_of(other),
            ("bit" | "bit varying", "bit" | "bit varying") if explicitly => Some(Narrowing::Cuts),
            ("bigint", "integer" | "smallint") | ("integer", "smallint") | ("bit" | "bit varying", "bit" | "bit varying") => {
                Some(Narrowing::Refuses)
            }
            (
                "timestamp with time zone" | "timestamp without time zone" | "time with time zone" | "time without time zone" | "interval",
                same,
            ) if same == from => Some(Narrowing::Cuts),
            _ => None,
        }
    }

    /// `numeric`: digits behind the point are rounded, too many before it are refused.
    fn loses_of(&self, other: &Self) -> Option<Narrowing> {
        let numbers = |data_type: &Self| -> Option<(i32, i32)> {
            let (precision, scale) = data_type.modifier.as_ref()?.split_once(',')?;
            Some((precision.parse().ok()?, scale.parse().ok()?))
        };
        match (numbers(self), numbers(other)) {
            (Some((precision, scale)), Some((new_precision, new_scale))) if new_precision - new_scale >= precision - scale => {
                Some(Narrowing::Cuts).filter(|_| new_scale < scale)
            }
            _ => Some(Narrowing::Refuses),
        }
    }

    fn length(&self) -> Option<u32> {
        self.modifier.as_ref()?.parse().ok()
    }

    /// The length of its longest value as text, where there is one.
    fn longest(&self) -> Option<u32> {
        let BaseType::Builtin(name) = &self.base else { return None };
        match name.as_str() {
            "character varying" | "character" => self.length(),
            "smallint" => Some(6),
            "integer" => Some(11),
            "bigint" => Some(20),
            "boolean" => Some(5),
            "uuid" => Some(36),
            _ => None,
        }
    }
}

fn is_string(name: &str) -> bool {
    matches!(name, "character" | "character varying" | "text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_narrower_type_does_to_values() {
        for (from, to, expected) in [
            ("bigint", "integer", Some(Narrowing::Refuses)),
            ("integer", "bigint", None),
            ("text", "character varying(9)", Some(Narrowing::Refuses)),
            ("character varying(9)", "text", None),
            ("character varying(9)", "character varying(8)", Some(Narrowing::Refuses)),
            ("character varying(8)[]", "character varying(9)[]", None),
            ("character(8)", "character varying(8)", None),
            ("uuid", "character varying(36)", None),
            ("uuid", "character varying(32)", Some(Narrowing::Refuses)),
            ("json", "character varying(9)", None),
            ("text", "uuid", Some(Narrowing::Refuses)),
            ("numeric(10,2)", "numeric(12,3)", None),
            ("numeric(10,2)", "numeric(10,3)", Some(Narrowing::Refuses)),
            ("numeric(10,2)", "numeric(10,1)", Some(Narrowing::Cuts)),
            ("numeric(10,2)", "numeric", None),
            ("numeric", "numeric(10,2)", Some(Narrowing::Refuses)),
            ("numeric(10,2)", "integer", Some(Narrowing::Cuts)),
            ("timestamp with time zone", "timestamp without time zone", None),
            ("timestamp with time zone", "date", Some(Narrowing::Cuts)),
            ("timestamp with time zone", "timestamp(3) with time zone", Some(Narrowing::Cuts)),
            ("public.status", "public.state", None),
        ] {
            let (from, to) = (DataType::from_catalog(from), DataType::from_catalog(to));
            assert_eq!(from.narrows_to(&to, false), expected, "{from} to {to}");
        }
        let (from, to) = (DataType::from_catalog("text"), DataType::from_catalog("character varying(9)"));
        assert_eq!(from.narrows_to(&to, true), Some(Narrowing::Cuts));
    }
}
