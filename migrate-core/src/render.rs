//! Pieces of SQL that several operations print: columns, constraints, indexes.

use crate::name::{Name, QualifiedName, quote_identifier, quote_literal, quoted_list};
use crate::naming::make_object_name;
use crate::schema::{
    Attribute, Column, Constraint, ConstraintKind, Deferral, Domain, DomainCheck, ForeignKey, Identity, IdentityKind, Index, IndexKeyKind,
    Key, MatchType, ReferentialAction, SequenceOptions, Table,
};
use std::fmt::Write as _;

/// A column of `table` as it stands in `create table` and `add column`. With `serial`, its type is the serial one of its size.
#[must_use]
pub fn column(table: &QualifiedName, column: &Column, serial: bool) -> String {
    let data_type = column.data_type.sql();
    let data_type = match (serial, data_type.as_str()) {
        (true, "smallint") => "smallserial",
        (true, "bigint") => "bigserial",
        (true, _) => "serial",
        (false, other) => other,
    };
    let mut sql = format!("{} {data_type}", column.name.quoted());
    if let Some(collation) = &column.collation {
        let _ = write!(sql, " collate {}", Name::new(collation.as_str()).quoted());
    }
    if let Some(identity) = &column.identity {
        let _ = write!(sql, " {}", self::identity(table, &column.name, identity));
    }
    if let Some(generated) = &column.generated {
        let kind = if generated.stored { "stored" } else { "virtual" };
        let _ = write!(sql, " generated always as ({}) {kind}", generated.expression.sql());
    }
    if let Some(default) = column.default.as_ref().filter(|_| !serial) {
        let _ = write!(sql, " default {}", default.sql());
    } else if column.default_null.0 {
        sql.push_str(" default null");
    }
    if column.not_null {
        sql.push_str(" not null");
    }
    sql
}

/// What stands behind the column list of `create table`, with a space before it.
#[must_use]
pub fn table_options(table: &Table) -> String {
    let mut sql = String::new();
    if let Some(partition) = &table.partition {
        let _ = write!(sql, " {}", partition.bound.sql());
    }
    if !table.inherits.is_empty() {
        let _ = write!(sql, " inherits ({})", table.inherits.iter().map(QualifiedName::quoted).collect::<Vec<_>>().join(", "));
    }
    if let Some(key) = &table.partition_by {
        let _ = write!(sql, " {}", key.sql());
    }
    if let Some(method) = &table.access_method {
        let _ = write!(sql, " using {}", method.quoted());
    }
    if !table.storage.is_empty() {
        let _ = write!(sql, " with ({})", table.storage);
    }
    if let Some(tablespace) = &table.tablespace {
        let _ = write!(sql, " tablespace {}", tablespace.quoted());
    }
    sql
}

/// `generated … as identity (…)`. The sequence is named where its name isn't the one that it would get anyway.
#[must_use]
pub fn identity(table: &QualifiedName, column: &Name, identity: &Identity) -> String {
    let kind = match identity.kind {
        IdentityKind::Always => "always",
        IdentityKind::ByDefault => "by default",
    };
    let usual = make_object_name(table.name.as_str(), Some(column.as_str()), "seq");
    let mut options = sequence_options(&identity.options);
    if identity.sequence != *usual && !identity.sequence.as_str().is_empty() {
        options = format!(" sequence name {}{options}", table.sibling(identity.sequence.clone()).quoted());
    }
    let options = if options.is_empty() { options } else { format!(" ({})", options.trim_start()) };
    format!("generated {kind} as identity{options}")
}

/// Options of a sequence, each with a space before it.
#[must_use]
pub fn sequence_options(options: &SequenceOptions) -> String {
    let mut sql = String::new();
    if let Some(data_type) = &options.data_type {
        let _ = write!(sql, " as {data_type}");
    }
    let numbers = [
        ("start with", options.start),
        ("increment by", options.increment),
        ("minvalue", options.minimum),
        ("maxvalue", options.maximum),
        ("cache", options.cache),
    ];
    for (words, number) in numbers {
        if let Some(number) = number {
            let _ = write!(sql, " {words} {number}");
        }
    }
    if options.cycle {
        sql.push_str(" cycle");
    }
    sql
}

/// `constraint name …`, as it stands in `create table` and behind `alter table … add`.
#[must_use]
pub fn constraint(constraint: &Constraint) -> String {
    with_options(constraint, &constraint_kind(&constraint.kind))
}

/// A primary key or unique constraint that takes an index over.
#[must_use]
pub fn constraint_using_index(constraint: &Constraint, index: &Name) -> String {
    let kind = if matches!(constraint.kind, ConstraintKind::PrimaryKey(_)) { "primary key" } else { "unique" };
    with_options(constraint, &format!("{kind} using index {}", index.quoted()))
}

fn with_options(constraint: &Constraint, definition: &str) -> String {
    let mut sql = format!("constraint {} {definition}", constraint.name.quoted());
    match constraint.deferral {
        Deferral::No => {}
        Deferral::Immediate => sql.push_str(" deferrable"),
        Deferral::Deferred => sql.push_str(" deferrable initially deferred"),
    }
    if !constraint.validated {
        sql.push_str(" not valid");
    }
    sql
}

/// The constraint as it stands behind its column; `None` where only the table can have it: it names other columns, too,
/// or isn't to be checked.
#[must_use]
pub fn column_constraint(column: &Column, constraint: &Constraint) -> Option<String> {
    let own = |columns: &[Name]| columns == [column.name.clone()];
    let plain = |key: &Key| own(&key.columns) && key.include.is_empty() && key.storage.is_empty();
    let kind = match &constraint.kind {
        _ if !constraint.validated => return None,
        ConstraintKind::PrimaryKey(key) if plain(key) => "primary key".to_owned(),
        ConstraintKind::Unique(key) if plain(key) => {
            format!("unique{}", if key.nulls_not_distinct { " nulls not distinct" } else { "" })
        }
        ConstraintKind::ForeignKey(key) if own(&key.columns) && key.referenced_columns.len() <= 1 => {
            let whole = foreign_key(key);
            whole.split_once(" references ").map(|(_, target)| format!("references {target}"))?
        }
        ConstraintKind::Check { .. } => constraint_kind(&constraint.kind),
        _ => return None,
    };
    Some(with_options(constraint, &kind))
}

fn constraint_kind(kind: &ConstraintKind) -> String {
    match kind {
        ConstraintKind::PrimaryKey(key) => format!("primary key {}", self::key(key)),
        ConstraintKind::Unique(key) => format!("unique {}", self::key(key)),
        ConstraintKind::ForeignKey(key) => foreign_key(key),
        ConstraintKind::Check { expression, no_inherit } => {
            format!("check ({}){}", expression.sql(), if *no_inherit { " no inherit" } else { "" })
        }
        ConstraintKind::Exclude { definition } => format!("exclude {}", definition.sql()),
    }
}

fn key(key: &Key) -> String {
    let nulls = if key.nulls_not_distinct { "nulls not distinct " } else { "" };
    let include = if key.include.is_empty() { String::new() } else { format!(" include ({})", quoted_list(&key.include)) };
    let storage = if key.storage.is_empty() { String::new() } else { format!(" with ({})", key.storage) };
    format!("{nulls}({}){include}{storage}", quoted_list(&key.columns))
}

fn foreign_key(key: &ForeignKey) -> String {
    let mut sql = format!("foreign key ({}) references {}", quoted_list(&key.columns), key.references.quoted());
    if !key.referenced_columns.is_empty() {
        let _ = write!(sql, " ({})", quoted_list(&key.referenced_columns));
    }
    if key.match_type == MatchType::Full {
        sql.push_str(" match full");
    }
    if key.on_update != ReferentialAction::NoAction {
        let _ = write!(sql, " on update {}", key.on_update.sql());
    }
    if key.on_delete != ReferentialAction::NoAction {
        let _ = write!(sql, " on delete {}", key.on_delete.sql());
        if !key.on_delete_columns.is_empty() {
            let _ = write!(sql, " ({})", quoted_list(&key.on_delete_columns));
        }
    }
    sql
}

/// What stands behind `create domain … as`. A check that doesn't hold for all values yet has no place there, and is marked.
#[must_use]
pub fn domain(domain: &Domain) -> String {
    let mut sql = domain.base.sql();
    if let Some(collation) = &domain.collation {
        let _ = write!(sql, " collate {}", quote_identifier(collation));
    }
    if let Some(default) = &domain.default {
        let _ = write!(sql, " default {}", default.sql());
    }
    if domain.not_null {
        sql.push_str(" not null");
    }
    for (name, check) in &domain.checks {
        let _ = write!(sql, " {}", domain_check(name, check));
    }
    sql
}

/// `constraint name check (…)` of a domain.
#[must_use]
pub fn domain_check(name: &Name, check: &DomainCheck) -> String {
    let not_valid = if check.validated { "" } else { " not valid" };
    format!("constraint {} check ({}){not_valid}", name.quoted(), check.expression.sql())
}

/// An attribute of a composite type.
#[must_use]
pub fn attribute(attribute: &Attribute) -> String {
    let collation = attribute.collation.as_ref().map(|collation| format!(" collate {}", quote_identifier(collation)));
    format!("{} {}{}", attribute.name.quoted(), attribute.data_type.sql(), collation.unwrap_or_default())
}

/// The comments on columns and constraints of a table.
pub fn comments<'a>(table: &QualifiedName, columns: &'a [Column], constraints: &'a [Constraint]) -> impl Iterator<Item = String> + 'a {
    let table = table.quoted();
    let of_table = table.clone();
    let columns = columns.iter().filter_map(move |column| {
        let comment = quote_literal(column.comment.as_ref()?);
        Some(format!("comment on column {of_table}.{} is {comment}", column.name.quoted()))
    });
    let constraints = constraints.iter().filter_map(move |constraint| {
        let comment = quote_literal(constraint.comment.as_ref()?);
        Some(format!("comment on constraint {} on {table} is {comment}", constraint.name.quoted()))
    });
    columns.chain(constraints)
}

/// `create index …`.
#[must_use]
pub fn index(table: &QualifiedName, index: &Index, concurrently: bool) -> String {
    let unique = if index.unique { "unique " } else { "" };
    let concurrently = if concurrently { "concurrently " } else { "" };
    let only = if index.only { "only " } else { "" };
    let mut sql = format!("create {unique}index {concurrently}{} on {only}{}", index.name.quoted(), table.quoted());
    if index.method != "btree" {
        let _ = write!(sql, " using {}", quote_identifier(&index.method));
    }
    let _ = write!(sql, " ({})", index_keys(index));
    if !index.include.is_empty() {
        let _ = write!(sql, " include ({})", quoted_list(&index.include));
    }
    if index.nulls_not_distinct {
        sql.push_str(" nulls not distinct");
    }
    if !index.storage.is_empty() {
        let _ = write!(sql, " with ({})", index.storage);
    }
    if let Some(tablespace) = &index.tablespace {
        let _ = write!(sql, " tablespace {}", tablespace.quoted());
    }
    if let Some(predicate) = &index.predicate {
        let _ = write!(sql, " where {}", predicate.sql());
    }
    sql
}

/// The keys of an index, without the parentheses around them.
#[must_use]
pub fn index_keys(index: &Index) -> String {
    let keys = index.keys.iter().map(|key| {
        let mut sql = match &key.kind {
            IndexKeyKind::Column(name) => name.quoted(),
            IndexKeyKind::Expression(expression) => format!("({})", expression.sql()),
        };
        if let Some(collation) = &key.collation {
            let _ = write!(sql, " collate {}", Name::new(collation.as_str()).quoted());
        }
        if let Some(class) = &key.operator_class {
            let _ = write!(sql, " {class}");
        }
        match (key.descending, key.nulls_first) {
            (true, true) => sql.push_str(" desc"),
            (true, false) => sql.push_str(" desc nulls last"),
            (false, true) => sql.push_str(" nulls first"),
            (false, false) => {}
        }
        sql
    });
    keys.collect::<Vec<_>>().join(", ")
}
