//! What text can't tell and the server has to say.

use crate::expression::Sameness;
use crate::name::QualifiedName;
use crate::schema::{Column, Domain, ObjectKey, Routine, RoutineKind, Schema, Table};
use std::collections::BTreeSet;

/// Two expressions that only the server can compare.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Question {
    /// The object that the expression belongs to.
    pub key: ObjectKey,
    /// In which respect: `default`, `check`, `where`, `query`, … For a table: `column x: default`, `constraint y: check`.
    pub aspect: String,
    /// What the server has to know to understand both.
    pub subject: Subject,
    /// As the model has it.
    pub model: String,
    /// As the catalog has it.
    pub live: String,
}

/// What an expression is about, on the live database.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// A value of a column: its default, or what it is generated from.
    Value {
        /// The column's type.
        data_type: String,
        /// The table whose columns it may mention; a default mentions none.
        table: Option<QualifiedName>,
    },
    /// A check, a key or the predicate of an index: an expression over the columns of a table.
    Expression {
        /// The table.
        table: QualifiedName,
    },
    /// What a policy asks of each row of a table: an expression that may have subqueries.
    Condition {
        /// The table.
        table: QualifiedName,
    },
    /// The check of a domain: an expression over `value`.
    Check {
        /// The type that the domain is made of.
        data_type: String,
    },
    /// What stands behind `exclude`.
    Exclusion {
        /// The table.
        table: QualifiedName,
    },
    /// `partition by …`.
    Partitioning {
        /// The table.
        table: QualifiedName,
    },
    /// The body of a function or procedure that PostgreSQL has understood: `return …` or `begin atomic … end`.
    Body {
        /// `function`, `procedure`.
        kind: RoutineKind,
        /// What stands between its name and its body.
        head: String,
    },
    /// The condition of a trigger.
    Trigger {
        /// Its table.
        relation: QualifiedName,
    },
    /// The bound of a partition.
    Bound {
        /// The partitioned table.
        parent: QualifiedName,
        /// Its `partition by …`.
        partition_by: String,
    },
    /// The query of a view, with the column list before it where there is one: `(a, b) as select …`.
    Query,
    /// The model has no idea. Nobody can say that the two are the same.
    Nothing,
}

impl Subject {
    /// What `aspect` of `key` is about.
    #[must_use]
    pub fn of(live: &Schema, key: &ObjectKey, aspect: &str) -> Self {
        let (part, name) = aspect.rsplit_once(": ").map_or(("", aspect), |(part, name)| (part, name));
        let subject = match key {
            ObjectKey::Column(table, column) => live.column(table, column.as_str()).and_then(|column| Self::of_column(table, column, name)),
            ObjectKey::Table(table) if part.is_empty() => match name {
                "partitioning" => Some(Self::Partitioning { table: table.clone() }),
                "bound" => live.table(table).and_then(|table| Self::of_bound(live, table)),
                _ => None,
            },
            ObjectKey::Table(table) => {
                let is_part = |column: &&Column| part.strip_prefix("column ") == Some(column.name.as_str());
                let column = live.table(table).and_then(|table| table.columns.iter().find(is_part));
                column.and_then(|column| Self::of_column(table, column, name)).or_else(|| Self::of_constraint(table, name))
            }
            ObjectKey::Constraint(table, _) => Self::of_constraint(table, name),
            ObjectKey::Policy(table, _) => matches!(name, "using" | "with check").then(|| Self::Condition { table: table.clone() }),
            ObjectKey::Index(index) => live.table_of_index(index).map(|table| Self::Expression { table: table.name.clone() }),
            ObjectKey::View(_) => (name == "query").then_some(Self::Query),
            ObjectKey::Routine(signature) => live.routines.get(signature).and_then(|routine| Self::of_routine(routine, name)),
            ObjectKey::Trigger(relation, _) => (name == "when").then(|| Self::Trigger { relation: relation.clone() }),
            ObjectKey::Type(domain) => live.domains.get(domain).and_then(|domain| Self::of_domain(domain, name)),
            ObjectKey::Schema(_) | ObjectKey::Extension(_) | ObjectKey::Sequence(_) => None,
        };
        subject.unwrap_or(Self::Nothing)
    }

    fn of_bound(live: &Schema, table: &Table) -> Option<Self> {
        let parent = live.table(&table.partition.as_ref()?.of)?;
        Some(Self::Bound { parent: parent.name.clone(), partition_by: parent.partition_by.as_ref()?.sql().to_owned() })
    }

    fn of_column(table: &QualifiedName, column: &Column, aspect: &str) -> Option<Self> {
        let table = match aspect {
            "default" => None,
            "generated" => Some(table.clone()),
            _ => return None,
        };
        Some(Self::Value { data_type: column.data_type.sql(), table })
    }

    fn of_domain(domain: &Domain, aspect: &str) -> Option<Self> {
        let data_type = domain.base.sql();
        match aspect {
            "default" => Some(Self::Value { data_type, table: None }),
            "check" => Some(Self::Check { data_type }),
            _ => None,
        }
    }

    fn of_routine(routine: &Routine, aspect: &str) -> Option<Self> {
        if aspect == "body" {
            let head = routine.head();
            return Some(Self::Body { kind: routine.kind, head });
        }
        let number: usize = aspect.strip_prefix("argument ")?.strip_suffix(" default")?.parse().ok()?;
        let argument = routine.arguments.get(number.checked_sub(1)?)?;
        Some(Self::Value { data_type: argument.data_type.sql(), table: None })
    }

    fn of_constraint(table: &QualifiedName, aspect: &str) -> Option<Self> {
        match aspect {
            "check" => Some(Self::Expression { table: table.clone() }),
            "exclude" => Some(Self::Exclusion { table: table.clone() }),
            _ => None,
        }
    }
}

/// What the server has said about expressions so far.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    same: BTreeSet<Question>,
    different: BTreeSet<Question>,
}

impl Answers {
    /// Notes an answer.
    pub fn record(&mut self, question: Question, same: bool) {
        if same { &mut self.same } else { &mut self.different }.insert(question);
    }

    /// What the server has said; unknown, where it wasn't asked.
    #[must_use]
    pub fn about(&self, question: &Question) -> Sameness {
        if self.same.contains(question) {
            Sameness::Equal
        } else if self.different.contains(question) {
            Sameness::Different
        } else {
            Sameness::Unknown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data_type::DataType;
    use crate::name::Name;

    #[test]
    fn an_aspect_of_a_table_names_its_part() {
        let name = QualifiedName::public("documents");
        let mut table = Table::new(name.clone());
        table.columns.push(Column::new("odd: name", DataType::from_catalog("integer")));
        let mut live = Schema::default();
        live.tables.insert(name.clone(), table);
        let of = |aspect| Subject::of(&live, &ObjectKey::Table(name.clone()), aspect);
        let value = |table| Subject::Value { data_type: "integer".to_owned(), table };
        assert_eq!(of("column odd: name: default"), value(None));
        assert_eq!(of("column odd: name: generated"), value(Some(name.clone())));
        assert_eq!(of("constraint positive: check"), Subject::Expression { table: name.clone() });
        assert_eq!(of("partitioning"), Subject::Partitioning { table: name.clone() });
        assert_eq!(of("column missing: default"), Subject::Nothing);
        let column = ObjectKey::Column(name.clone(), Name::new("odd: name"));
        assert_eq!(Subject::of(&live, &column, "default"), value(None));
    }
}
