//! The rows of `catalog.sql`, and the schema that they make.

mod routines;
mod triggers;

use super::access::AccessRow;
use migrate_core::data_type::DataType;
use migrate_core::expression::Expression;
use migrate_core::name::{Name, QualifiedName};
use migrate_core::schema::{
    Attribute, Column, CompositeType, Constraint, ConstraintKind, DefaultNull, Deferral, Domain, DomainCheck, EnumType, Extension,
    ForeignKey, Generated, Identity, IdentityKind, Index, IndexKey, IndexKeyKind, Key, MatchType, NamedSchema, Origin, OtherKind,
    OtherObject, Parameters, Partition, Policy, PolicyCommand, ReferentialAction, RowSecurity, Schema, Sequence, SequenceOptions, Table,
    View,
};
use routines::RoutineRow;
pub(crate) use routines::understood;
use serde::Deserialize;
use std::collections::BTreeMap;
use triggers::TriggerRow;

/// What an object of the catalog is known by here. JSON has it as a string.
type Oid = String;

/// All rows. An aggregate of no rows is null.
#[derive(Debug, Deserialize)]
pub(super) struct Rows {
    schemas: Option<Vec<SchemaRow>>,
    extensions: Option<Vec<ExtensionRow>>,
    tables: Option<Vec<TableRow>>,
    columns: Option<Vec<ColumnRow>>,
    constraints: Option<Vec<ConstraintRow>>,
    indexes: Option<Vec<IndexRow>>,
    policies: Option<Vec<PolicyRow>>,
    enums: Option<Vec<EnumRow>>,
    domains: Option<Vec<DomainRow>>,
    composites: Option<Vec<CompositeRow>>,
    sequences: Option<Vec<SequenceRow>>,
    views: Option<Vec<ViewRow>>,
    others: Option<Vec<OtherRow>>,
    access: Option<Vec<AccessRow>>,
    routines: Option<Vec<RoutineRow>>,
    triggers: Option<Vec<TriggerRow>>,
}

#[derive(Debug, Deserialize)]
struct SchemaRow {
    name: Name,
    comment: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ExtensionRow {
    name: Name,
    schema: Name,
    version: String,
}

#[derive(Debug, Deserialize)]
struct TableRow {
    oid: Oid,
    schema: Name,
    name: Name,
    unlogged: bool,
    partition_key: Option<String>,
    bound: Option<String>,
    parents: Option<Vec<(Name, Name)>>,
    storage: Vec<String>,
    method: Option<Name>,
    tablespace: Option<Name>,
    row_security: RowSecurity,
    comment: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ColumnRow {
    table: Oid,
    name: Name,
    #[serde(rename = "type")]
    data_type: String,
    not_null: bool,
    unvalidated: Option<Name>,
    expression: Option<String>,
    generated: String,
    identity: String,
    local: bool,
    sequence: Option<Name>,
    sequence_options: Option<SequenceOptions>,
    collation: Option<String>,
    comment: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ConstraintRow {
    table: Oid,
    name: Name,
    kind: String,
    deferrable: bool,
    deferred: bool,
    validated: bool,
    no_inherit: bool,
    comment: Option<String>,
    columns: Vec<Name>,
    include: Option<Vec<Name>>,
    nulls_not_distinct: Option<bool>,
    target_schema: Option<Name>,
    target_name: Option<Name>,
    target_columns: Option<Vec<Name>>,
    on_delete: String,
    on_update: String,
    #[serde(rename = "match")]
    match_type: String,
    on_delete_columns: Option<Vec<Name>>,
    expression: Option<String>,
    local: bool,
    parent: Option<Name>,
    storage: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct IndexRow {
    table: Oid,
    name: Name,
    unique: bool,
    method: String,
    only: bool,
    valid: bool,
    parent: Option<Name>,
    storage: Option<Vec<String>>,
    tablespace: Option<Name>,
    predicate: Option<String>,
    nulls_not_distinct: Option<bool>,
    comment: Option<String>,
    keys: Option<Vec<IndexKeyRow>>,
}

#[derive(Debug, Deserialize)]
struct IndexKeyRow {
    column: Option<Name>,
    expression: Option<String>,
    include: bool,
    option: Option<i16>,
    collation: Option<String>,
    operator_class: Option<String>,
}

#[derive(Debug, Deserialize)]
struct PolicyRow {
    table: Oid,
    name: Name,
    permissive: bool,
    command: String,
    roles: Vec<Name>,
    condition: Option<String>,
    check_condition: Option<String>,
    comment: Option<String>,
}

#[derive(Debug, Deserialize)]
struct EnumRow {
    schema: Name,
    name: Name,
    labels: Vec<String>,
    comment: Option<String>,
}

#[derive(Debug, Deserialize)]
struct DomainRow {
    schema: Name,
    name: Name,
    #[serde(rename = "type")]
    data_type: String,
    collation: Option<String>,
    default: Option<String>,
    not_null: bool,
    checks: Option<Vec<DomainCheckRow>>,
    comment: Option<String>,
}

#[derive(Debug, Deserialize)]
struct DomainCheckRow {
    name: Name,
    expression: String,
    validated: bool,
}

#[derive(Debug, Deserialize)]
struct CompositeRow {
    schema: Name,
    name: Name,
    attributes: Option<Vec<AttributeRow>>,
    comment: Option<String>,
}

#[derive(Debug, Deserialize)]
struct AttributeRow {
    name: Name,
    #[serde(rename = "type")]
    data_type: String,
    collation: Option<String>,
}

#[derive(Debug, Deserialize)]
struct SequenceRow {
    schema: Name,
    name: Name,
    options: SequenceOptions,
    owner_schema: Option<Name>,
    owner_name: Option<Name>,
    owner_column: Option<Name>,
    comment: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ViewRow {
    oid: Oid,
    schema: Name,
    name: Name,
    materialized: bool,
    storage: Option<Vec<String>>,
    query: Option<String>,
    comment: Option<String>,
}

#[derive(Debug, Deserialize)]
struct OtherRow {
    schema: Name,
    name: Name,
    relation: bool,
}

impl Rows {
    /// The schema. What the model can't hold, and what went away while it was read, is left out.
    pub(super) fn into_schema(self) -> Schema {
        let mut schema = Schema::default();
        for row in self.schemas.unwrap_or_default() {
            schema.schemas.insert(row.name, NamedSchema { comment: row.comment, ..NamedSchema::default() });
        }
        for row in self.extensions.unwrap_or_default() {
            schema.extensions.insert(row.name, Extension { schema: Some(row.schema), version: Some(row.version) });
        }
        for row in self.enums.unwrap_or_default() {
            let enum_type = EnumType { labels: row.labels, comment: row.comment, ..EnumType::default() };
            schema.enums.insert(QualifiedName::new(row.schema, row.name), enum_type);
        }
        schema.domains.extend(self.domains.unwrap_or_default().into_iter().map(DomainRow::into_domain));
        schema.composites.extend(self.composites.unwrap_or_default().into_iter().map(CompositeRow::into_composite));
        for row in self.sequences.unwrap_or_default() {
            let (name, sequence) = row.into_sequence();
            schema.sequences.insert(name, sequence);
        }
        let mut materialized: BTreeMap<Oid, QualifiedName> = BTreeMap::new();
        for row in self.views.unwrap_or_default() {
            materialized.insert(row.oid.clone(), QualifiedName::new(row.schema.clone(), row.name.clone()));
            schema.views.extend(row.into_view());
        }
        for row in self.others.unwrap_or_default() {
            let kind = if row.relation { OtherKind::Relation } else { OtherKind::Type };
            schema.others.insert(QualifiedName::new(row.schema, row.name), OtherObject { kind, of: None, origin: Origin::default() });
        }
        for row in self.access.unwrap_or_default() {
            row.add_to(&mut schema.observed);
        }
        let mut tables: BTreeMap<Oid, Table> =
            self.tables.unwrap_or_default().into_iter().map(|row| (row.oid.clone(), row.into_table())).collect();
        for row in self.columns.unwrap_or_default() {
            if let Some(table) = tables.get_mut(&row.table) {
                table.columns.push(row.into_column());
            }
        }
        for row in self.constraints.unwrap_or_default() {
            if let Some(table) = tables.get_mut(&row.table)
                && let Some(constraint) = row.into_constraint()
            {
                table.constraints.insert(constraint.name.clone(), constraint);
            }
        }
        for row in self.indexes.unwrap_or_default() {
            let of_view = materialized.get(&row.table).and_then(|view| schema.indexes_mut(view));
            let Some(indexes) = tables.get_mut(&row.table).map(|table| &mut table.indexes).or(of_view) else { continue };
            indexes.extend(row.into_index().map(|index| (index.name.clone(), index)));
        }
        for row in self.routines.unwrap_or_default() {
            let (signature, routine) = row.into_routine();
            schema.routines.insert(signature, routine);
        }
        for row in self.triggers.unwrap_or_default() {
            row.add_to(&mut schema);
        }
        for row in self.policies.unwrap_or_default() {
            if let Some(table) = tables.get_mut(&row.table) {
                table.policies.insert(row.name.clone(), row.into_policy());
            }
        }
        schema.tables = tables.into_values().map(|table| (table.name.clone(), table)).collect();
        schema
    }
}

impl TableRow {
    fn into_table(self) -> Table {
        let mut table = Table::new(QualifiedName::new(self.schema, self.name));
        table.unlogged = self.unlogged;
        table.row_security = self.row_security;
        table.comment = self.comment;
        table.partition_by = self.partition_key.map(|key| Expression::new(format!("partition by {}", with_lower_case_method(&key))));
        let mut parents = self.parents.unwrap_or_default().into_iter().map(|(schema, name)| QualifiedName::new(schema, name));
        if let Some(bound) = self.bound {
            table.partition = parents.next().map(|of| Partition { of, bound: Expression::new(lower_case_words(&bound)) });
        }
        table.inherits = parents.collect();
        table.storage = Parameters::read(&self.storage.join(", "));
        table.access_method = self.method;
        table.tablespace = self.tablespace;
        table
    }
}

/// `RANGE (created_at)` → `range (created_at)`.
fn with_lower_case_method(key: &str) -> String {
    let (method, columns) = key.split_once(' ').unwrap_or((key, ""));
    format!("{} {columns}", method.to_lowercase())
}

/// `FOR VALUES FROM ('A') TO (MAXVALUE)` → `for values from ('A') to (maxvalue)`.
fn lower_case_words(bound: &str) -> String {
    let mut inside = false;
    let each = bound.chars().map(|c| {
        inside ^= c == '\'';
        if inside { c } else { c.to_ascii_lowercase() }
    });
    each.collect()
}

impl ColumnRow {
    fn into_column(self) -> Column {
        let mut column = Column::new(self.name, DataType::from_catalog(&self.data_type));
        column.not_null = self.not_null;
        column.unvalidated = self.unvalidated;
        column.collation = self.collation;
        column.comment = self.comment;
        column.local = self.local;
        let expression = self.expression.map(|text| Expression::from_catalog(&text));
        if self.generated.is_empty() {
            column.default_null = DefaultNull(expression.as_ref().is_some_and(Expression::is_null));
            column.default = expression.filter(|default| !default.is_null());
        } else {
            column.generated = expression.map(|expression| Generated { expression, stored: self.generated == "s" });
        }
        column.identity = self.sequence.filter(|_| !self.identity.is_empty()).map(|sequence| Identity {
            kind: if self.identity == "a" { IdentityKind::Always } else { IdentityKind::ByDefault },
            sequence,
            // its type is the column's
            options: SequenceOptions { data_type: None, ..self.sequence_options.unwrap_or_default() },
        });
        column
    }
}

impl ConstraintRow {
    fn into_constraint(self) -> Option<Constraint> {
        let kind = match self.kind.as_str() {
            "p" | "u" => {
                let key = Key {
                    columns: self.columns,
                    include: self.include.unwrap_or_default(),
                    nulls_not_distinct: self.nulls_not_distinct.unwrap_or_default(),
                    storage: self.storage.unwrap_or_default().join(", "),
                };
                if self.kind == "p" { ConstraintKind::PrimaryKey(key) } else { ConstraintKind::Unique(key) }
            }
            "f" => ConstraintKind::ForeignKey(ForeignKey {
                columns: self.columns,
                references: QualifiedName::new(self.target_schema?, self.target_name?),
                referenced_columns: self.target_columns.unwrap_or_default(),
                on_delete: action(&self.on_delete),
                on_delete_columns: self.on_delete_columns.unwrap_or_default(),
                on_update: action(&self.on_update),
                match_type: if self.match_type == "f" { MatchType::Full } else { MatchType::Simple },
            }),
            "c" => ConstraintKind::Check { expression: Expression::from_catalog(&self.expression?), no_inherit: self.no_inherit },
            "x" => ConstraintKind::Exclude { definition: exclusion(&self.expression?)? },
            _ => return None,
        };
        let deferral = match (self.deferrable, self.deferred) {
            (false, _) => Deferral::No,
            (true, false) => Deferral::Immediate,
            (true, true) => Deferral::Deferred,
        };
        let (validated, comment, local, parent) = (self.validated, self.comment, self.local, self.parent);
        Some(Constraint { name: self.name, kind, deferral, validated, comment, local, parent })
    }
}

fn action(code: &str) -> ReferentialAction {
    match code {
        "r" => ReferentialAction::Restrict,
        "c" => ReferentialAction::Cascade,
        "n" => ReferentialAction::SetNull,
        "d" => ReferentialAction::SetDefault,
        _ => ReferentialAction::NoAction,
    }
}

/// The definition of an exclusion constraint, as the model keeps it, from what `pg_get_constraintdef` prints.
pub(crate) fn exclusion(definition: &str) -> Option<Expression> {
    let mut definition = definition.strip_prefix("EXCLUDE ")?;
    for option in [" INITIALLY DEFERRED", " DEFERRABLE"] {
        definition = definition.strip_suffix(option).unwrap_or(definition);
    }
    Some(Expression::new(definition))
}

impl IndexRow {
    fn into_index(self) -> Option<Index> {
        let (include, keys): (Vec<_>, Vec<_>) = self.keys?.into_iter().partition(|key| key.include);
        Some(Index {
            name: self.name,
            unique: self.unique,
            method: self.method,
            keys: keys.into_iter().map(IndexKeyRow::into_key).collect::<Option<_>>()?,
            include: include.into_iter().filter_map(|key| key.column).collect(),
            nulls_not_distinct: self.nulls_not_distinct.unwrap_or_default(),
            predicate: self.predicate.map(|text| Expression::from_catalog(&text)),
            storage: self.storage.unwrap_or_default().join(", "),
            tablespace: self.tablespace,
            only: self.only,
            valid: self.valid,
            comment: self.comment,
            parent: self.parent,
        })
    }
}

impl IndexKeyRow {
    fn into_key(self) -> Option<IndexKey> {
        let kind = match (self.column, self.expression) {
            (Some(column), _) => IndexKeyKind::Column(column),
            (None, Some(text)) => IndexKeyKind::Expression(Expression::from_catalog(&text)),
            (None, None) => return None,
        };
        let option = self.option.unwrap_or_default();
        let (descending, nulls_first) = (option & 1 != 0, option & 2 != 0);
        Some(IndexKey { kind, collation: self.collation, operator_class: self.operator_class, descending, nulls_first })
    }
}

impl DomainRow {
    fn into_domain(self) -> (QualifiedName, Domain) {
        let check = |row: DomainCheckRow| {
            let check = DomainCheck { expression: Expression::from_catalog(&row.expression), validated: row.validated };
            (row.name, check)
        };
        let default = self.default.map(|text| Expression::from_catalog(&text));
        let domain = Domain {
            collation: self.collation,
            default: default.filter(|default| !default.is_null()),
            not_null: self.not_null,
            checks: self.checks.unwrap_or_default().into_iter().map(check).collect(),
            comment: self.comment,
            ..Domain::new(DataType::from_catalog(&self.data_type))
        };
        (QualifiedName::new(self.schema, self.name), domain)
    }
}

impl CompositeRow {
    fn into_composite(self) -> (QualifiedName, CompositeType) {
        let attribute =
            |row: AttributeRow| Attribute { name: row.name, data_type: DataType::from_catalog(&row.data_type), collation: row.collation };
        let composite = CompositeType {
            attributes: self.attributes.unwrap_or_default().into_iter().map(attribute).collect(),
            comment: self.comment,
            ..CompositeType::default()
        };
        (QualifiedName::new(self.schema, self.name), composite)
    }
}

impl PolicyRow {
    fn into_policy(self) -> Policy {
        Policy {
            permissive: self.permissive,
            command: match self.command.as_str() {
                "r" => PolicyCommand::Select,
                "a" => PolicyCommand::Insert,
                "w" => PolicyCommand::Update,
                "d" => PolicyCommand::Delete,
                _ => PolicyCommand::All,
            },
            roles: self.roles,
            using: self.condition.map(|text| Expression::from_catalog(&text)),
            check: self.check_condition.map(|text| Expression::from_catalog(&text)),
            comment: self.comment,
        }
    }
}

impl SequenceRow {
    fn into_sequence(self) -> (QualifiedName, Sequence) {
        let owner = self.owner_schema.zip(self.owner_name).map(|(schema, name)| QualifiedName::new(schema, name));
        let sequence = Sequence {
            options: self.options.without_defaults(),
            owned_by: owner.zip(self.owner_column),
            comment: self.comment,
            ..Sequence::default()
        };
        (QualifiedName::new(self.schema, self.name), sequence)
    }
}

impl ViewRow {
    fn into_view(self) -> Option<(QualifiedName, View)> {
        let view = View {
            materialized: self.materialized,
            columns: Vec::new(),
            options: self.storage.map(view_options).unwrap_or_default(),
            query: Expression::from_catalog(&self.query?),
            comment: self.comment,
            ..View::default()
        };
        Some((QualifiedName::new(self.schema, self.name), view))
    }
}

/// Options of a view as the model spells them.
fn view_options(storage: Vec<String>) -> String {
    let options: Vec<_> = storage.into_iter().map(|option| option.replacen('=', " = ", 1)).collect();
    format!("with ({})", options.join(", "))
}
