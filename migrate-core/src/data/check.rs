//! Whether what a statement names is there.

use super::{Assignment, Data, Insert, Mention, Rows, Value};
use crate::data_type::DataType;
use crate::name::{Name, QualifiedName};
use crate::report::Report;
use crate::schema::{Column, Schema, Table};

/// What a mention turns out to be.
enum Meaning<'a> {
    /// A column of a table.
    Column(&'a Column),
    /// No column of any of these, which are all that it could be one of.
    Unknown(Vec<&'a QualifiedName>),
    /// Qualified with a name that nothing has.
    UnknownQualifier(&'a Name),
    /// Nobody can tell, or nothing is wrong.
    Fine,
}

impl Data {
    /// Reports what isn't there, and rows that can't be.
    pub fn check(&self, schema: &Schema, report: &mut Report) {
        for mention in &self.mentions {
            match mention.meaning(schema) {
                Meaning::Column(column) => {
                    mention.compared_with.iter().for_each(|label| enum_value(schema, &column.data_type, label, report));
                }
                Meaning::Unknown(relations) => report.unknown_mention(schema, &mention.column, &relations),
                Meaning::UnknownQualifier(name) => {
                    let called = mention.scopes.iter().flatten().map(|source| &source.called);
                    report.unknown_qualifier(name, called.collect());
                }
                Meaning::Fine => {}
            }
        }
        for (data_type, label) in &self.casts {
            if schema.enums.contains_key(data_type) {
                report.needs_label(schema, data_type, label);
            }
        }
        self.assignments.iter().for_each(|assignment| assignment.check(schema, report));
        self.inserts.iter().for_each(|insert| insert.check(schema, report));
    }
}

impl Mention {
    fn meaning<'a>(&'a self, schema: &'a Schema) -> Meaning<'a> {
        let column = self.column.as_str();
        if SYSTEM_COLUMNS.contains(&column) {
            return Meaning::Fine;
        }
        let mut relations = Vec::new();
        for source in self.scopes.iter().flat_map(|scope| scope.iter().filter(|source| self.may_be_of(source))) {
            let Some(relation) = &source.relation else { return Meaning::Fine };
            let Some(columns) = schema.columns_of_relation(relation) else { return Meaning::Fine };
            if columns.iter().any(|name| name.as_str() == column) {
                return schema.column(relation, column).map_or(Meaning::Fine, Meaning::Column);
            }
            if self.qualifier.is_none() && source.called == self.column {
                return Meaning::Fine;
            }
            if !relations.contains(&relation) {
                relations.push(relation);
            }
            if self.qualifier.is_some() {
                break;
            }
        }
        match &self.qualifier {
            Some((None, name)) if relations.is_empty() && self.scopes.iter().flatten().all(|source| source.relation.is_some()) => {
                if matches!(name.as_str(), "old" | "new") { Meaning::Fine } else { Meaning::UnknownQualifier(name) }
            }
            Some(_) if relations.is_empty() => Meaning::Fine,
            _ => Meaning::Unknown(relations),
        }
    }

    /// Whether it can be a column of `source`, by what it is qualified with.
    fn may_be_of(&self, source: &super::Source) -> bool {
        let Some((schema, called)) = &self.qualifier else { return true };
        let of_schema = schema.as_ref().is_none_or(|schema| source.relation.as_ref().is_some_and(|relation| relation.schema == *schema));
        source.called == *called && of_schema
    }
}

/// Columns that every table has.
const SYSTEM_COLUMNS: &[&str] = &["tableoid", "ctid", "xmin", "xmax", "cmin", "cmax"];

/// Reports a string that the enum doesn't have, where the type is one.
fn enum_value(schema: &Schema, data_type: &DataType, label: &Name, report: &mut Report) {
    if let Some(name) = data_type.named().filter(|name| !data_type.array && schema.enums.contains_key(name)) {
        report.needs_label(schema, name, label);
    }
}

/// The table, where all of its columns are known.
fn known<'a>(schema: &'a Schema, table: &QualifiedName) -> Option<&'a Table> {
    schema.columns_of_relation(table)?;
    schema.table(table)
}

/// Whether something may write other values than those that the statement has.
fn is_meddled_with(schema: &Schema, table: &Table) -> bool {
    schema.triggers_of(&table.name).next().is_some() || !table.unmodelled.is_empty()
}

impl Assignment {
    fn check(&self, schema: &Schema, report: &mut Report) {
        let Some(table) = known(schema, &self.table) else { return };
        let Some(column) = table.column(self.column.as_str()) else {
            report.unknown_column_of(schema, table, &self.column);
            return;
        };
        value(schema, table, column, &self.value, report);
    }
}

/// Reports a value that the column can't have.
fn value(schema: &Schema, table: &Table, column: &Column, value: &Value, report: &mut Report) {
    match value {
        Value::Null(at) if column.not_null && !is_meddled_with(schema, table) => report.null_value(&table.name, &column.name, *at),
        Value::String(label) => enum_value(schema, &column.data_type, label, report),
        Value::Null(_) | Value::Default | Value::Other => {}
    }
}

impl Insert {
    fn check(&self, schema: &Schema, report: &mut Report) {
        let Some(table) = known(schema, &self.table) else { return };
        let told = report.problems.len();
        let columns: Vec<Option<&Column>> = match &self.columns {
            None => table.columns.iter().map(Some).collect(),
            Some(names) => {
                for (i, (name, part)) in names.iter().enumerate() {
                    if table.column(name.as_str()).is_none() {
                        report.unknown_column_of(schema, table, name);
                    } else if !part && names[..i].iter().any(|(other, _)| other == name) {
                        report.column_twice(name);
                    }
                }
                names.iter().map(|(name, part)| table.column(name.as_str()).filter(|_| !part)).collect()
            }
        };
        if report.problems.len() > told {
            return;
        }
        match &self.rows {
            Rows::Default => self.required(schema, table, 0, report),
            Rows::Query(None) => self.required(schema, table, columns.len(), report),
            Rows::Query(Some((at, width))) => {
                if self.has_width(&columns, *at, *width, report) {
                    self.required(schema, table, *width, report);
                }
            }
            Rows::Values(rows) => {
                let first = rows.first().map_or(0, |(_, values)| values.len());
                for (at, values) in rows {
                    if values.len() != first {
                        report.uneven_rows(*at, values.len(), first);
                    } else if self.has_width(&columns, *at, values.len(), report) {
                        for (column, one) in columns.iter().zip(values) {
                            if let Some(column) = column {
                                value(schema, table, column, one, report);
                            }
                        }
                    }
                }
                if report.problems.len() == told {
                    self.required(schema, table, first, report);
                }
            }
        }
    }

    /// Reports a row that doesn't fit the columns. Without a list of them, those at the end may be left out.
    fn has_width(&self, columns: &[Option<&Column>], at: crate::name::At, width: usize, report: &mut Report) -> bool {
        let fits = if self.columns.is_some() { width == columns.len() } else { width <= columns.len() };
        if !fits {
            report.row_width(&self.table, at, width, columns.len());
        }
        fits
    }

    /// Reports the columns that get no value and need one. Without a list, the first `width` get one.
    fn required(&self, schema: &Schema, table: &Table, width: usize, report: &mut Report) {
        if is_meddled_with(schema, table) {
            return;
        }
        let is_written = |i: usize, column: &Column| match &self.columns {
            Some(names) => names.iter().any(|(name, _)| *name == column.name),
            None => i < width,
        };
        for (_, column) in table.columns.iter().enumerate().filter(|(i, column)| !is_written(*i, column)) {
            // a domain may have a default of its own
            let may_be_domain = column.data_type.named().is_some_and(|name| !schema.enums.contains_key(name));
            let filled = column.default.is_some() || column.identity.is_some() || column.generated.is_some();
            if column.not_null && !filled && !may_be_domain {
                report.no_value(&table.name, &column.name, self.table.at());
            }
        }
    }
}
