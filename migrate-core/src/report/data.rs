//! What is wrong with statements that read or write data.

use super::{Report, nearest_of};
use crate::name::{At, Name, QualifiedName};
use crate::ops::Unbatchable;
use crate::schema::{ObjectKey, Schema};

impl Report {
    /// A name that is no column of any relation that the statement reads there.
    pub fn unknown_mention(&mut self, schema: &Schema, column: &Name, relations: &[&QualifiedName]) {
        let key = |relation: &QualifiedName| ObjectKey::Column(relation.clone(), column.clone());
        let departed = relations.iter().copied().find(|relation| schema.departure(&key(relation)).is_some());
        let alone = if let [relation] = relations { Some(*relation) } else { None };
        if let Some(relation) = departed.or(alone) {
            self.unknown(schema, &key(relation), column.at);
            return;
        }
        let problem = self.problem(column.at, format!("no column `{column}` here"));
        if relations.is_empty() {
            problem.help = Some("quote a string as a string: no table is read here".to_owned());
            return;
        }
        let known: Vec<String> = relations
            .iter()
            .flat_map(|relation| schema.columns_of_relation(relation).unwrap_or_default())
            .map(|name| name.to_string())
            .collect();
        let nearest = nearest_of(column.as_str(), known.iter().map(String::as_str)).map(|name| format!("did you mean `{name}`?"));
        let tables: Vec<String> = relations.iter().map(|relation| format!("`{relation}`")).collect();
        problem.help = nearest.or_else(|| Some(format!("write a column of {}", tables.join(", "))));
    }

    /// A column is qualified with a name that nothing in the statement has.
    pub fn unknown_qualifier(&mut self, name: &Name, called: Vec<&Name>) {
        let problem = self.problem(name.at, format!("nothing is called `{name}` here"));
        let list: Vec<String> = called.iter().map(|name| format!("`{name}`")).collect();
        problem.help = Some(match list.as_slice() {
            [] => "add it to a `from`".to_owned(),
            _ => format!("what is read here is called {}", list.join(", ")),
        });
    }

    /// A `null` for a column that takes none.
    pub fn null_value(&mut self, table: &QualifiedName, column: &Name, at: At) {
        self.problem(at, format!("column `{table}.{column}` is `not null`")).help = Some("write a value".to_owned());
    }

    /// An `insert` leaves out a column that needs a value.
    pub fn no_value(&mut self, table: &QualifiedName, column: &Name, at: At) {
        self.problem(at, format!("no value for column `{table}.{column}`, which is `not null` and has no default")).help =
            Some(format!("insert a value for `{column}`, too"));
    }

    /// A column stands twice in the list of an `insert`.
    pub fn column_twice(&mut self, column: &Name) {
        self.problem(column.at, format!("column `{column}` is written twice")).help = Some("delete one of the two".to_owned());
    }

    /// The rows of one `values` have different lengths.
    pub fn uneven_rows(&mut self, at: At, width: usize, first: usize) {
        self.problem(at, format!("a row of {width} {}, after one of {first}", values(width))).help =
            Some("write rows of the same length".to_owned());
    }

    /// A row has more or fewer values than there are columns for.
    pub fn row_width(&mut self, table: &QualifiedName, at: At, width: usize, columns: usize) {
        let noun = if columns == 1 { "column" } else { "columns" };
        self.problem(at, format!("{width} {} for {columns} {noun} of `{table}`", values(width))).help =
            Some("write as many values as columns".to_owned());
    }
}

/// What can't be done in batches.
impl Report {
    /// A part of the statement has no meaning in batches.
    pub fn unbatchable(&mut self, what: Unbatchable, at: At) {
        let (message, help) = match what {
            Unbatchable::Returning => ("nobody reads what a `backfill` returns", "leave `returning` out"),
            Unbatchable::Cursor => {
                ("there is no cursor in a `backfill`, which walks along a key of the table", "say by a condition which rows are meant")
            }
            Unbatchable::Portion => {
                ("`for portion of` adds rows, and a batch could meet them again", "write an `update` or a `delete` of its own")
            }
        };
        self.problem(at, message).help = Some(help.to_owned());
    }

    /// What is to be changed in batches is no table.
    pub fn no_table_to_batch(&mut self, name: &QualifiedName, kind: &str) {
        let help = format!("name the table that the rows of `{name}` come from");
        self.problem(name.at(), format!("`{name}` is a {kind}, which has no key to walk along")).help = Some(help);
    }

    /// The table has no key that all of its rows could be walked along by.
    pub fn no_key_to_batch(&mut self, table: &QualifiedName) {
        let help = "add a primary key, or a unique index, on columns that are `not null` and not generated; or write an `update` or a `delete` for all rows at once";
        self.problem(table.at(), format!("table `{table}` has no key to walk along in batches")).help = Some(help.to_owned());
    }

    /// The key changes while the rows are walked along by it.
    pub fn backfill_sets_key(&mut self, table: &QualifiedName, column: &Name) {
        let help = "write an `update` for all rows at once, or change the key in a `run` step".to_owned();
        let message = format!("`{column}` is in the key of `{table}` that the batches go by: a row could be met twice, or never");
        self.problem(column.at, message).help = Some(help);
    }
}

fn values(number: usize) -> &'static str {
    if number == 1 { "value" } else { "values" }
}
