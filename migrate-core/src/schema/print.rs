//! A schema as text, for people and for comparison: everything that the model knows, in a fixed order.

use super::{Access, Column, Index, Map, OtherKind, Presence, Schema, Sequence, Table, Trigger, TriggerState, View};
use crate::name::{DEFAULT_SCHEMA, Name, QualifiedName, quote_literal, quoted_list};
use crate::render;
use indexmap::IndexMap;
use std::fmt::{self, Write};

impl Schema {
    /// Everything in the schema, an object a paragraph. Columns stand in their order, everything else by name.
    #[must_use]
    pub fn print(&self) -> String {
        let mut text = String::new();
        // writing to a `String` can't fail
        let _ = self.write(&mut text);
        text
    }

    /// The same schema with the columns of every table by name, and without its past: two schemas that differ in nothing
    /// but column order, history and what belongs to the session become equal.
    #[must_use]
    pub fn without_order(&self) -> Self {
        let mut schema = self.clone();
        schema.departed = Map::new();
        schema.others.retain(|name, _| !name.is_temporary());
        for table in schema.tables.values_mut() {
            table.columns.sort_by(|a, b| a.name.cmp(&b.name));
        }
        schema
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        if !self.default_access.is_empty() {
            writeln!(out, "schema public{}", access(&self.default_access))?;
        }
        for (name, schema) in &self.schemas {
            writeln!(out, "schema {}{}{}", name.quoted(), access(&schema.access), comment(schema.comment.as_ref()))?;
        }
        for (name, extension) in &self.extensions {
            write!(out, "extension {}", name.quoted())?;
            if let Some(schema) = &extension.schema {
                write!(out, " schema {}", schema.quoted())?;
            }
            if let Some(version) = &extension.version {
                write!(out, " version {}", quote_literal(version))?;
            }
            writeln!(out)?;
        }
        for (name, enum_type) in &self.enums {
            let labels: Vec<_> = enum_type.labels.iter().map(|label| quote_literal(label)).collect();
            writeln!(
                out,
                "enum {} ({}){}{}",
                short(name),
                labels.join(", "),
                access(&enum_type.access),
                comment(enum_type.comment.as_ref())
            )?;
        }
        for (name, domain) in &self.domains {
            writeln!(
                out,
                "domain {} as {}{}{}",
                short(name),
                render::domain(domain),
                access(&domain.access),
                comment(domain.comment.as_ref())
            )?;
        }
        for (name, composite) in &self.composites {
            let attributes: Vec<_> = composite.attributes.iter().map(render::attribute).collect();
            writeln!(
                out,
                "composite {} ({}){}{}",
                short(name),
                attributes.join(", "),
                access(&composite.access),
                comment(composite.comment.as_ref())
            )?;
        }
        for (name, other) in &self.others {
            let kind = match other.kind {
                OtherKind::Type => "type",
                OtherKind::Relation => "relation",
            };
            writeln!(out, "other {kind} {}", short(name))?;
        }
        for (name, sequence) in &self.sequences {
            write_sequence(out, name, sequence)?;
        }
        for table in self.tables.values() {
            write_table(out, table)?;
        }
        for (name, view) in &self.views {
            write_view(out, name, view)?;
        }
        for (signature, routine) in &self.routines {
            writeln!(out, "{} {}{}", routine.kind.sql(), routine.sql(&signature.name), comment(routine.comment.as_ref()))?;
        }
        for name in &self.other_routines {
            writeln!(out, "other function {}", short(name))?;
        }
        for (relation, triggers) in &self.triggers {
            for (name, trigger) in triggers {
                write_trigger(out, relation, name, trigger)?;
            }
        }
        for (object, text) in &self.comments {
            writeln!(out, "comment on {object} {}", quote_literal(text))?;
        }
        Ok(())
    }
}

fn write_sequence(out: &mut String, name: &QualifiedName, sequence: &Sequence) -> fmt::Result {
    write!(out, "sequence {}{}", short(name), render::sequence_options(&sequence.options))?;
    if let Some((table, column)) = &sequence.owned_by {
        write!(out, " owned by {}.{}", short(table), column.quoted())?;
    }
    writeln!(out, "{}{}", access(&sequence.access), comment(sequence.comment.as_ref()))
}

fn write_table(out: &mut String, table: &Table) -> fmt::Result {
    let presence = match table.presence {
        Presence::Owned => "",
        Presence::External => "external ",
        Presence::Optional => "optional ",
    };
    let unlogged = if table.unlogged { "unlogged " } else { "" };
    write!(out, "{presence}{unlogged}table {}", short(&table.name))?;
    if let Some(partition) = &table.partition {
        write!(out, " partition of {}", short(&partition.of))?;
    }
    out.write_str(&render::table_options(table).split_whitespace().fold(String::new(), |text, word| text + " " + word))?;
    if !table.options.is_empty() {
        write!(out, " {}", table.options.split_whitespace().collect::<Vec<_>>().join(" "))?;
    }
    writeln!(out, "{}{}", access(&table.access), comment(table.comment.as_ref()))?;
    for column in &table.columns {
        write_column(out, table, column)?;
    }
    let mut constraints: Vec<_> = table.constraints.values().collect();
    constraints.sort_by(|a, b| a.name.cmp(&b.name));
    for constraint in constraints {
        let inherited = match &constraint.parent {
            Some(parent) => format!(" part of {}", parent.quoted()),
            None if !constraint.local && table.partition.is_none() => " inherited".to_owned(),
            None => String::new(),
        };
        writeln!(out, "    {}{inherited}{}", render::constraint(constraint), comment(constraint.comment.as_ref()))?;
    }
    write_indexes(out, &table.indexes)?;
    match (table.row_security.enabled, table.row_security.forced) {
        (true, true) => writeln!(out, "    row level security, forced")?,
        (true, false) => writeln!(out, "    row level security")?,
        (false, true) => writeln!(out, "    no row level security, but forced")?,
        (false, false) => {}
    }
    for (name, policy) in &table.policies {
        writeln!(out, "    policy {}{}{}", name.quoted(), policy.sql(), comment(policy.comment.as_ref()))?;
    }
    Ok(())
}

fn write_indexes(out: &mut String, indexes: &IndexMap<Name, Index>) -> fmt::Result {
    let mut indexes: Vec<_> = indexes.values().collect();
    indexes.sort_by(|a, b| a.name.cmp(&b.name));
    for index in indexes {
        write_index(out, index)?;
    }
    Ok(())
}

fn write_column(out: &mut String, table: &Table, column: &Column) -> fmt::Result {
    // all columns of a partition are its parent's
    let inherited = if column.local || table.partition.is_some() { "" } else { " inherited" };
    writeln!(out, "    {}{inherited}{}", render::column(&table.name, column, false), comment(column.comment.as_ref()))
}

fn write_index(out: &mut String, index: &Index) -> fmt::Result {
    let unique = if index.unique { "unique " } else { "" };
    let only = if index.only { "only " } else { "" };
    write!(out, "    {unique}index {} {only}using {} ({})", index.name.quoted(), index.method, render::index_keys(index))?;
    if !index.include.is_empty() {
        write!(out, " include ({})", quoted_list(&index.include))?;
    }
    if index.nulls_not_distinct {
        out.write_str(" nulls not distinct")?;
    }
    if !index.storage.is_empty() {
        write!(out, " with ({})", index.storage)?;
    }
    if let Some(tablespace) = &index.tablespace {
        write!(out, " tablespace {}", tablespace.quoted())?;
    }
    if let Some(predicate) = &index.predicate {
        write!(out, " where {}", predicate.sql())?;
    }
    if let Some(parent) = &index.parent {
        write!(out, " part of {}", parent.quoted())?;
    }
    if !index.valid {
        out.write_str(" invalid")?;
    }
    writeln!(out, "{}", comment(index.comment.as_ref()))
}

fn write_view(out: &mut String, name: &QualifiedName, view: &View) -> fmt::Result {
    write!(out, "{}view {}", if view.materialized { "materialized " } else { "" }, short(name))?;
    if !view.columns.is_empty() {
        write!(out, " ({})", quoted_list(&view.columns))?;
    }
    if !view.options.is_empty() {
        write!(out, " {}", view.options)?;
    }
    writeln!(out, "{}{}", access(&view.access), comment(view.comment.as_ref()))?;
    for line in view.query.sql().lines() {
        writeln!(out, "    {}", line.trim_end())?;
    }
    write_indexes(out, &view.indexes)
}

fn write_trigger(out: &mut String, relation: &QualifiedName, name: &Name, trigger: &Trigger) -> fmt::Result {
    let constraint = if trigger.constraint.is_some() { "constraint " } else { "" };
    let state = match trigger.state {
        TriggerState::Enabled => "",
        TriggerState::Disabled => " disabled",
        TriggerState::Replica => " enabled for replication",
        TriggerState::Always => " enabled always",
    };
    writeln!(out, "{constraint}trigger {} {}{state}{}", name.quoted(), trigger.sql(relation), comment(trigger.comment.as_ref()))
}

/// Without the default schema, but quoted where it must be.
fn short(name: &QualifiedName) -> String {
    if name.schema == *DEFAULT_SCHEMA { name.name.quoted() } else { name.quoted() }
}

/// Who owns it and what was granted, as far as migrations said.
fn access(access: &Access) -> String {
    let owner = access.owner.iter().map(|owner| format!(" owner {}", owner.quoted()));
    let granted = access.granted().map(|privilege| {
        let column = privilege.column.as_ref().map(|column| format!(" ({})", column.quoted())).unwrap_or_default();
        let option = if privilege.grantable { " grantable" } else { "" };
        format!(" grant {}{column} to {}{option}", privilege.action, privilege.role.quoted())
    });
    owner.chain(granted).collect()
}

fn comment(comment: Option<&String>) -> String {
    comment.map(|text| format!(" comment {}", quote_literal(text))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data_type::DataType;
    use crate::expression::Expression;

    #[test]
    fn columns_keep_their_order_and_names_are_quoted_where_they_must_be() {
        let mut table = Table::new(QualifiedName::public("Odd Name"));
        table.columns.push(Column::new("z", DataType::from_catalog("text")));
        let mut column = Column::new("a", DataType::from_catalog("integer"));
        column.not_null = true;
        column.default = Some(Expression::new("0"));
        column.comment = Some("it's first".to_owned());
        table.columns.push(column);
        let mut schema = Schema::default();
        schema.tables.insert(table.name.clone(), table);
        assert_eq!(schema.print(), "table \"Odd Name\"\n    z text\n    a integer default 0 not null comment 'it''s first'\n");
        assert!(schema.without_order().print().find(" a ") < schema.without_order().print().find(" z "));
    }

    #[test]
    fn objects_of_other_schemas_are_qualified() {
        let mut schema = Schema::default();
        schema.schemas.insert(Name::new("archive"), super::super::NamedSchema::default());
        schema.sequences.insert(QualifiedName::new("archive", "numbers"), Sequence::default());
        assert_eq!(schema.print(), "schema archive\nsequence archive.numbers\n");
    }
}
