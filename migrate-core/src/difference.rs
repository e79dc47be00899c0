//! What is otherwise in a database than in the model, as a person says it.

use crate::schema::ObjectKey;
use std::fmt;

/// One thing that is otherwise in the database than in the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Of what.
    pub key: ObjectKey,
    /// In which respect; empty when the object as a whole is one too many.
    pub aspect: String,
    /// As the migration leaves it; `None`: it has no such thing.
    pub expected: Option<String>,
    /// As it is.
    pub found: Option<String>,
}

/// `column documents.title: type is text, expected character varying(50)`.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.key)?;
        let (found, expected) = (self.found.as_deref().map(in_a_line), self.expected.as_deref().map(in_a_line));
        match (found, expected) {
            (Some(found), Some(expected)) => write!(f, "{} is {found}, expected {expected}", self.aspect),
            (Some(found), None) => write!(f, "{} is {found}, expected none", self.aspect),
            (None, Some(expected)) => write!(f, "{} is missing, expected {expected}", self.aspect),
            (None, None) => write!(f, "{}", self.aspect),
        }
    }
}

/// A query, or a body, as PostgreSQL prints it has many lines.
fn in_a_line(value: &str) -> String {
    value.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

impl Difference {
    /// The column or constraint that it is about within a table, and in which respect.
    fn part(&self) -> Option<(&str, &str)> {
        self.aspect.rsplit_once(": ").filter(|(part, _)| part.starts_with("column ") || part.starts_with("constraint "))
    }

    /// Whether it is that a column or constraint isn't there at all on one side: every one has these.
    fn is_of_whole(&self) -> bool {
        matches!(self.part(), Some((_, "type" | "validated"))) && self.expected.is_some() != self.found.is_some()
    }
}

/// The differences, one a line: a column or a constraint that is missing as a whole is one difference, and so is one that is
/// one too many.
#[must_use]
pub fn told(differences: &[Difference]) -> Vec<String> {
    let whole = |difference: &Difference| {
        let (part, _) = difference.part()?;
        let is_it =
            |other: &&Difference| other.is_of_whole() && other.key == difference.key && other.part().is_some_and(|(it, _)| it == part);
        differences.iter().find(is_it).map(|_| part.to_owned())
    };
    let mut lines: Vec<String> = Vec::new();
    for difference in differences {
        let Some(part) = whole(difference) else {
            lines.push(difference.to_string());
            continue;
        };
        let others = differences.iter().filter(|other| other.key == difference.key);
        let aspects: Vec<(&str, &Difference)> =
            others.filter_map(|other| other.part().filter(|(it, _)| *it == part).map(|(_, aspect)| (aspect, other))).collect();
        let said = |value: fn(&Difference) -> Option<&String>| {
            let words = aspects.iter().filter_map(|(aspect, other)| in_a_definition(aspect, &in_a_line(value(other)?)));
            words.collect::<Vec<_>>().join(" ")
        };
        let line = if difference.expected.is_some() {
            format!("{}: {part} is missing: {}", difference.key, said(|difference| difference.expected.as_ref()))
        } else {
            format!("{}: {part} is one too many: {}", difference.key, said(|difference| difference.found.as_ref()))
        };
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}

/// An aspect of a column or a constraint as it would be written; `None`: it goes without saying.
fn in_a_definition(aspect: &str, value: &str) -> Option<String> {
    let usual = matches!(
        (aspect, value),
        ("not null", "no")
            | ("validated", "yes")
            | ("deferral", "not deferrable")
            | ("match", "simple")
            | ("on delete" | "on update", "no action")
    );
    if usual {
        return None;
    }
    Some(match aspect {
        "type" | "deferral" => value.to_owned(),
        "validated" => "not valid".to_owned(),
        "primary key" | "unique" | "foreign key" | "check" | "include" => format!("{aspect} ({value})"),
        _ if value == "yes" => aspect.to_owned(),
        _ => format!("{aspect} {value}"),
    })
}

#[cfg(all(test, feature = "parser"))]
#[expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]
mod tests {
    use super::{Difference, told};
    use crate::replay::{replay, steps};
    use crate::schema::{ObjectKey, Schema};
    use crate::verdict::{Answers, Change, Verdict, verdict_of_changes};

    fn schema(sql: &str) -> Schema {
        let mut schema = Schema::default();
        let report = replay(&mut steps(sql).unwrap(), &mut schema, "m");
        assert!(report.is_empty(), "{:?}", report.problems);
        schema
    }

    fn differences(expected: &str, found: &str) -> Vec<Difference> {
        let (model, live) = (schema(expected), schema(found));
        let key = ObjectKey::Table(crate::name::QualifiedName::new("public", "t"));
        let change = Change { before: None, after: model.definition(&key), key };
        match verdict_of_changes(&[change], &model, &live, &Answers::default()) {
            Verdict::Conflict(differences) => differences,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_missing_as_a_whole_is_said_once_and_as_it_is_written() {
        let other = "create table u (id int primary key);\n";
        let expected = "create table t (id int primary key, a text not null default 'x', b int check (b > 0), c int generated always as identity, \
                        d int references u on delete cascade deferrable initially deferred, unique (a, b))";
        let found = "create table t (id bigint primary key, b int, d int, \"a: type\" int)";
        assert_eq!(
            told(&differences(&format!("{other}{expected}"), &format!("{other}{found}"))),
            [
                "table t: column a is missing: text not null default 'x'",
                "table t: column c is missing: integer not null identity always",
                "table t: column id: type is bigint, expected integer",
                "table t: constraint t_a_b_key is missing: unique (a, b)",
                "table t: constraint t_b_check is missing: check (b > 0)",
                "table t: constraint t_d_fkey is missing: foreign key (d) references u (id) on delete cascade deferrable initially deferred",
                "table t: column a: type is one too many: integer",
            ]
        );
    }
}
