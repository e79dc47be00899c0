//! What depends on what: columns on types and sequences, views on relations.

use super::{Column, ObjectKey, Origin, Policy, Schema, Table, Tie, Trigger};
use crate::expression::Expression;
use crate::name::{Name, QualifiedName};
use std::collections::BTreeMap;

impl Schema {
    /// The columns of this type, or of arrays of it.
    #[must_use]
    pub fn columns_of_type(&self, name: &QualifiedName) -> Vec<(QualifiedName, Name)> {
        let tables = self.tables_that(&Tie::Type(name.clone()));
        columns_where(tables, |column| column.data_type.named() == Some(name))
    }

    /// The columns whose default takes values from the sequence.
    #[must_use]
    pub fn columns_fed_by(&self, sequence: &QualifiedName) -> Vec<(QualifiedName, Name)> {
        columns_where(self.tables.values(), |column| column.default.as_ref().is_some_and(|default| default.sequences().contains(sequence)))
    }

    /// The views that read the relation themselves.
    #[must_use]
    pub fn views_reading(&self, relation: &QualifiedName) -> Vec<QualifiedName> {
        self.views_that(&Tie::Reads(relation.clone())).map(|(name, _)| name.clone()).collect()
    }

    /// The views that read the relation themselves or through other views.
    #[must_use]
    pub fn views_above(&self, relation: &QualifiedName) -> Vec<QualifiedName> {
        let mut views = self.views_reading(relation);
        let mut seen = 0;
        while let Some(view) = views.get(seen).cloned() {
            let further: Vec<_> = self.views_reading(&view).into_iter().filter(|further| !views.contains(further)).collect();
            views.extend(further);
            seen += 1;
        }
        views
    }

    /// The tables and materialized views whose rows a query of these relations reads, itself or through views.
    #[must_use]
    pub fn tables_read_through(&self, relations: &[QualifiedName]) -> Vec<QualifiedName> {
        let mut read = relations.to_vec();
        let mut seen = 0;
        while let Some(relation) = read.get(seen) {
            let Some(inner) = self.views.get(relation).filter(|view| !view.materialized) else {
                seen += 1;
                continue;
            };
            let further: Vec<_> = inner.relations.iter().filter(|further| !read.contains(further)).cloned().collect();
            read.remove(seen);
            read.extend(further);
        }
        read
    }

    /// Drops every view that reads the relation, and the views that read those.
    pub fn drop_views_reading(&mut self, relation: &QualifiedName, origin: &Origin) {
        for view in self.views_reading(relation) {
            if self.views.remove(&view).is_some() {
                self.forget_triggers_of(&view);
                self.record_departure(ObjectKey::View(view.clone()), None, origin);
                self.drop_views_reading(&view, origin);
            }
        }
    }

    /// Columns, domains, attributes and casts follow the rename of their type.
    pub fn follow_type_rename(&mut self, from: &QualifiedName, to: &QualifiedName) {
        self.rename_type_in_columns(from, to);
        self.rename_type_in_routines(from, to);
        self.each_expression(|expression| expression.rename_type(from, to));
    }

    /// Defaults and views follow the rename of a sequence.
    pub fn follow_sequence_rename(&mut self, from: &QualifiedName, to: &QualifiedName) {
        self.each_expression(|expression| expression.rename_sequence(from, to));
    }

    /// Views follow the rename of a table or of another view.
    pub fn follow_relation_rename(&mut self, from: &QualifiedName, to: &QualifiedName) {
        let has_column = |relation: &QualifiedName, column: &str| self.has_column(if relation == from { to } else { relation }, column);
        let reading = self.views_that(&Tie::Reads(from.clone())).map(|(name, view)| {
            let mut query = view.query.clone();
            query.rename_relation(from, to, &has_column);
            (name.clone(), query)
        });
        for (name, query) in reading.collect::<Vec<_>>() {
            let Some(view) = self.views.get_mut(&name) else { continue };
            view.query = query;
            for relation in view.relations.iter_mut().filter(|relation| *relation == from) {
                *relation = to.clone();
            }
        }
        self.follow_relation_rename_in_policies(from, to);
    }

    /// Expressions over columns of an enum follow the rename of one of its values. Where an expression reads columns of
    /// other types, too, its literals may be theirs: it is left as it is.
    pub fn follow_label_rename(&mut self, name: &QualifiedName, from: &str, to: &str) {
        let tables: Vec<_> = self.tables_that(&Tie::Type(name.clone())).map(|table| table.name.clone()).collect();
        for table in tables {
            let Some(table) = self.tables.get_mut(&table) else { continue };
            let (of_enum, others): (Vec<_>, Vec<_>) =
                table.columns.iter().map(|column| (column.name.clone(), column.data_type.named() == Some(name))).partition(|(_, is)| *is);
            for column in table.columns.iter_mut().filter(|column| column.data_type.named() == Some(name)) {
                if let Some(default) = &mut column.default {
                    default.rename_literal(from, to);
                }
            }
            let follow = |expression: &mut Expression| {
                let reads = |columns: &[(Name, bool)]| columns.iter().any(|(column, _)| expression.mentions(column.as_str()));
                if reads(&of_enum) && !reads(&others) {
                    expression.rename_literal(from, to);
                }
            };
            table.constraints.values_mut().for_each(|constraint| constraint.kind.each_expression(follow));
            table.indexes.values_mut().for_each(|index| index.each_expression(follow));
            // a literal in a subquery may be of a column of another table
            let plain = table.policies.values_mut().flat_map(Policy::expressions_mut).filter(|condition| !condition.has_subquery());
            plain.for_each(follow);
        }
    }

    /// Lets `change` at each expression that it makes another one of.
    pub(super) fn each_expression(&mut self, change: impl Fn(&mut Expression)) {
        let is_changed = |expression: &Expression| {
            let mut changed = expression.clone();
            change(&mut changed);
            changed != *expression
        };
        let policies = |table: &Table| table.policies.values().flat_map(Policy::expressions).any(is_changed);
        for table in self.tables.some_mut(|table| table.expressions().any(is_changed) || policies(table)) {
            table.each_expression(&change);
            table.policies.values_mut().flat_map(Policy::expressions_mut).for_each(&change);
        }
        let conditions = |triggers: &BTreeMap<Name, Trigger>| triggers.values().filter_map(|trigger| trigger.when.as_ref()).any(is_changed);
        let triggers = self.triggers.some_mut(conditions).flat_map(|triggers| triggers.values_mut());
        triggers.filter_map(|trigger| trigger.when.as_mut()).for_each(&change);
        self.views.some_mut(|view| is_changed(&view.query)).for_each(|view| change(&mut view.query));
        for domain in self.domains.values_mut() {
            domain.default.iter_mut().for_each(&change);
            domain.checks.values_mut().for_each(|check| change(&mut check.expression));
        }
    }

    /// The comment of an object that the model has a definition of.
    pub fn comment_mut(&mut self, key: &ObjectKey) -> Option<&mut Option<String>> {
        Some(match key {
            ObjectKey::Schema(name) => &mut self.schemas.get_mut(name)?.comment,
            ObjectKey::Extension(_) => return None,
            ObjectKey::Table(name) => &mut self.tables.get_mut(name)?.comment,
            ObjectKey::Column(table, column) => &mut self.tables.get_mut(table)?.column_mut(column.as_str())?.comment,
            ObjectKey::Constraint(table, name) => &mut self.tables.get_mut(table)?.constraints.get_mut(name)?.comment,
            ObjectKey::Policy(table, name) => &mut self.tables.get_mut(table)?.policies.get_mut(name)?.comment,
            ObjectKey::Index(name) => {
                let table = self.table_of_index(name)?.name.clone();
                &mut self.tables.get_mut(&table)?.indexes.get_mut(&name.name)?.comment
            }
            ObjectKey::Type(name) if self.domains.contains_key(name) => &mut self.domains.get_mut(name)?.comment,
            ObjectKey::Type(name) if self.composites.contains_key(name) => &mut self.composites.get_mut(name)?.comment,
            ObjectKey::Type(name) => &mut self.enums.get_mut(name)?.comment,
            ObjectKey::Sequence(name) => &mut self.sequences.get_mut(name)?.comment,
            ObjectKey::View(name) => &mut self.views.get_mut(name)?.comment,
            ObjectKey::Trigger(relation, name) => &mut self.trigger_mut(relation, name)?.comment,
            ObjectKey::Routine(signature) => &mut self.routines.get_mut(signature)?.comment,
        })
    }
}

fn columns_where<'a>(tables: impl Iterator<Item = &'a Table>, holds: impl Fn(&Column) -> bool) -> Vec<(QualifiedName, Name)> {
    let of_table = |table: &Table| {
        let columns = table.columns.iter().filter(|column| holds(column));
        columns.map(|column| (table.name.clone(), column.name.clone())).collect::<Vec<_>>()
    };
    tables.flat_map(of_table).collect()
}
