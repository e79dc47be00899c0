//! What is wrong with partitions and inheritance.

use super::Report;
use crate::data_type::DataType;
use crate::name::{At, Name, QualifiedName};
use crate::schema::Column;

impl Report {
    /// A table without partitions.
    pub(crate) fn not_partitioned(&mut self, table: &QualifiedName) {
        self.problem(table.at(), format!("table `{table}` is not partitioned")).help =
            Some("create it with `partition by …`, or write `inherits (…)` to inherit from it".to_owned());
    }

    /// A bound of another kind than the table's.
    pub(crate) fn other_strategy(&mut self, table: &QualifiedName, strategy: &str, written: &str, at: At) {
        let shape = |strategy: &str| match strategy {
            "list" => "for values in (…)",
            "range" => "for values from (…) to (…)",
            _ => "for values with (modulus …, remainder …)",
        };
        self.problem(at, format!("table `{table}` is partitioned by {strategy}, and this is the bound of a {written} partition")).help =
            Some(format!("write `{}`", shape(strategy)));
    }

    /// A hash has a partition for every row.
    pub(crate) fn no_default_of_hash(&mut self, table: &QualifiedName, at: At) {
        self.problem(at, format!("table `{table}` is partitioned by hash, and can't have a default partition"));
    }

    /// A bound with too few or too many values.
    pub(crate) fn bound_length(&mut self, table: &QualifiedName, columns: usize, at: At) {
        let values = if columns == 1 { "one value".to_owned() } else { format!("{columns} values") };
        self.problem(at, format!("the partition key of table `{table}` takes {values} in `from` and in `to`"));
    }

    /// A range without values.
    pub(crate) fn empty_bound(&mut self, at: At) {
        self.problem(at, "no row fits into this range: it ends where it begins, or before").help =
            Some("write a higher value in `to`, which itself is not part of the range".to_owned());
    }

    /// A remainder that no division leaves.
    pub(crate) fn remainder_too_large(&mut self, at: At) {
        self.problem(at, "the remainder must be less than the modulus");
    }

    /// A partition that holds rows of the new one already.
    pub(crate) fn overlaps_partition(&mut self, table: &QualifiedName, other: &QualifiedName, default: bool, at: At) {
        let message = if default {
            format!("table `{table}` has a default partition already: `{other}`")
        } else {
            format!("the bound overlaps that of partition `{other}` of table `{table}`")
        };
        self.problem(at, message);
    }

    /// A key that can't be unique across partitions.
    pub(crate) fn key_lacks_partition_column(&mut self, table: &QualifiedName, kind: &str, missing: &Name, at: At) {
        self.problem(at, format!("a {kind} of partitioned table `{table}` must include its partition key: `{missing}` is missing")).help =
            Some(format!("add `{missing}` to its columns, or make it on each partition instead"));
    }

    /// A key of a table that is partitioned by an expression.
    pub(crate) fn no_key_over_expression(&mut self, table: &QualifiedName, kind: &str, at: At) {
        self.problem(at, format!("table `{table}` is partitioned by an expression, and can't have a {kind}")).help =
            Some("make it on each partition instead".to_owned());
    }

    /// A table that can't be a parent.
    pub(crate) fn no_inheritance_from(&mut self, table: &QualifiedName, kind: &str, help: &str) {
        self.problem(table.at(), format!("cannot inherit from {kind} `{table}`")).help = Some(help.to_owned());
    }

    /// A column of a new table has another type than its parent's.
    pub(crate) fn other_type_in_parent(&mut self, parent: &QualifiedName, column: &Column, data_type: &DataType) {
        let at = column.data_type.written.as_ref().map_or(column.name.at, |written| written.at);
        self.problem(at, format!("column `{}` is `{data_type}` in table `{parent}`, and `{}` here", column.name, column.data_type)).help =
            Some(format!("write `{data_type}`, or leave the column out: it is inherited"));
    }

    /// The future child lacks a column.
    pub(crate) fn child_lacks_column(&mut self, parent: &QualifiedName, child: &QualifiedName, column: &Name) {
        self.problem(child.at(), format!("table `{child}` has no column `{column}`, as `{parent}` has")).help =
            Some(format!("add the column first: `alter table {child} add column {column} …`"));
    }

    /// The future child has a column of another type.
    pub(crate) fn child_has_other_type(&mut self, parent: &QualifiedName, child: &QualifiedName, own: &Column, data_type: &DataType) {
        let (name, own) = (&own.name, &own.data_type);
        self.problem(child.at(), format!("column `{child}.{name}` is `{own}`, and `{data_type}` in table `{parent}`")).help =
            Some(format!("change its type first: `alter table {child} alter column {name} type {data_type}`"));
    }

    /// The future child accepts nulls where its parent doesn't.
    pub(crate) fn child_may_be_null(&mut self, parent: &QualifiedName, child: &QualifiedName, column: &Name) {
        self.problem(child.at(), format!("column `{child}.{column}` may be null, and that of table `{parent}` may not")).help =
            Some(format!("first `alter table {child} alter column {column} set not null`"));
    }

    /// The future partition has more columns than its parent.
    pub(crate) fn child_has_further_column(&mut self, parent: &QualifiedName, child: &QualifiedName, column: &Name) {
        self.problem(child.at(), format!("table `{child}` has a column `{column}`, which `{parent}` has not")).help =
            Some(format!("drop the column first, or add it to `{parent}`: a partition has its parent's columns and no others"));
    }

    /// The future child lacks a check constraint.
    pub(crate) fn child_lacks_check(&mut self, parent: &QualifiedName, child: &QualifiedName, constraint: &Name) {
        self.problem(child.at(), format!("table `{child}` has no check constraint `{constraint}`, as `{parent}` has")).help =
            Some("add the same constraint under the same name first".to_owned());
    }

    /// A table would come from itself.
    pub(crate) fn circular_inheritance(&mut self, parent: &QualifiedName, child: &QualifiedName) {
        self.problem(child.at(), format!("table `{parent}` comes from `{child}` already, or is the same"));
    }

    /// A column that is the parent's to change.
    pub(crate) fn inherited_column(&mut self, table: &QualifiedName, column: &Name, parent: &QualifiedName, verb: &str) {
        self.problem(column.at, format!("column `{table}.{column}` is inherited from table `{parent}`")).help =
            Some(format!("{verb} it in `{parent}`: `{table}` follows"));
    }

    /// A column that may not be null because its parent's may not.
    pub(crate) fn not_null_in_parent(&mut self, table: &QualifiedName, column: &Name, parent: &QualifiedName) {
        self.problem(column.at, format!("column `{table}.{column}` is not null in table `{parent}`, and so here")).help =
            Some(format!("write `drop not null` of `{parent}`: `{table}` follows"));
    }

    /// Two tables that a new one is like, or it and one of those, have a column of the same name.
    pub(crate) fn column_comes_twice(&mut self, column: &Name, source: &QualifiedName, at: At) {
        self.problem(at, format!("column `{column}` comes from `{source}`, too")).help =
            Some("leave it out here, or write the columns of one of them by hand".to_owned());
    }

    /// The primary key of the table that a new one is like is not its only one.
    pub(crate) fn second_key_by_like(&mut self, table: &QualifiedName, source: &QualifiedName) {
        self.problem(source.at(), format!("table `{table}` has a primary key already, and gets that of `{source}`, too")).help =
            Some("write `excluding indexes`, or leave the other primary key out".to_owned());
    }

    /// A constraint that is the parent's to change.
    pub(crate) fn inherited_constraint(&mut self, table: &QualifiedName, name: &Name, parent: &QualifiedName, verb: &str) {
        self.problem(name.at, format!("constraint `{name}` of table `{table}` is inherited from table `{parent}`")).help =
            Some(format!("{verb} that of `{parent}`: `{table}` follows"));
    }

    /// A partition can't have columns of its own.
    pub(crate) fn no_column_of_partition(&mut self, table: &QualifiedName, parent: &QualifiedName, at: At) {
        self.problem(at, format!("table `{table}` is a partition, and has the columns of `{parent}`")).help =
            Some(format!("add the column to `{parent}`: `{table}` follows"));
    }

    /// A table that isn't a partition of the other.
    pub(crate) fn not_a_partition_of(&mut self, table: &QualifiedName, parent: &QualifiedName) {
        self.problem(table.at(), format!("table `{table}` is not a partition of `{parent}`"));
    }

    /// `concurrently` where it can't be.
    pub(crate) fn no_concurrent_detach(&mut self, partition: &QualifiedName, table: &QualifiedName, default: &QualifiedName) {
        self.problem(
            partition.at(),
            format!("cannot detach a partition of `{table}` concurrently: it has a default partition, `{default}`"),
        )
        .help = Some("leave out `concurrently`, or detach the default partition first".to_owned());
    }

    /// An index that can't be part of the other.
    pub(crate) fn index_of_no_partition(&mut self, index: &QualifiedName, owner: &QualifiedName, table: &QualifiedName) {
        self.problem(index.at(), format!("index `{index}` is on `{owner}`, which is not a partition of `{table}`"));
    }

    /// A table that can't become a partition, because it has a parent.
    pub(crate) fn has_parent_already(&mut self, table: &QualifiedName, parent: &QualifiedName, how: &str) {
        self.problem(table.at(), format!("table `{table}` {how} `{parent}` already"));
    }

    /// A table can't go as long as another one inherits from it.
    pub(crate) fn table_inherits(&mut self, child: &QualifiedName, table: &QualifiedName) {
        self.problem(table.at(), format!("table `{child}` inherits from table `{table}`")).help =
            Some("drop it first, or write `cascade` to drop it, too".to_owned());
    }

    /// A table that is no parent.
    pub(crate) fn not_a_parent(&mut self, table: &QualifiedName, parent: &QualifiedName) {
        self.problem(parent.at(), format!("table `{table}` does not inherit from `{parent}`"));
    }

    /// An index that is the part of another one.
    pub(crate) fn part_of_index(&mut self, index: &QualifiedName, parent: &QualifiedName) {
        self.problem(index.at(), format!("index `{index}` is part of index `{parent}`")).help =
            Some(format!("drop `{parent}`: its parts fall with it"));
    }
}
