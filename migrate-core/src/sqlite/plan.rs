//! Operation → SQLite's SQL.

use super::Unsupported;
use super::convert::Conversion;
use super::difference::{Hints, Rename, difference};
use super::{render, support, translate, triggers, types};
use crate::expression::Expression;
use crate::name::{DEFAULT_SCHEMA, Name, QualifiedName};
use crate::operation::Operation;
use crate::ops::{
    AlterColumnType, CreateSchema, CreateTableAs, DropSchema, DropTable, Opaque, RenameEnumValue, SequenceChange, SetTableSchema,
    SetTypeSchema,
};
use crate::schema::Schema;

/// A step on SQLite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SqliteStep {
    /// One statement.
    Statement(String),
    /// A table is built anew. Foreign keys have to be off, which they can be switched only outside of a transaction, and
    /// `pragma foreign_key_check` has to find nothing before the commit. If a statement fails,
    /// `pragma legacy_alter_table = off` has to follow.
    Rebuild {
        /// The table, without quotes.
        table: String,
        /// What does it, in this order.
        statements: Vec<String>,
    },
}

impl SqliteStep {
    /// The statements, in their order.
    #[must_use]
    pub fn statements(&self) -> &[String] {
        match self {
            Self::Statement(statement) => std::slice::from_ref(statement),
            Self::Rebuild { statements, .. } => statements,
        }
    }
}

/// What does `operation` on SQLite, given the schema before and after it. Empty where SQLite has nothing to do.
///
/// `before` should be the model laid over the live schema ([`overlay`](super::overlay)), and `after` the operation applied to
/// that: a rebuild keeps what is in `before`, and nothing else.
///
/// # Errors
/// What SQLite can't say, and what to do instead.
pub fn plan(operation: &Operation, before: &Schema, after: &Schema) -> Result<Vec<SqliteStep>, Unsupported> {
    match treatment(operation, before)? {
        Treatment::Statements(statements) => Ok(statements.into_iter().map(SqliteStep::Statement).collect()),
        Treatment::Difference(hints) => {
            support::check(before, after, |name| hints.table_before(name))?;
            difference(before, after, &hints)
        }
        Treatment::Filled(insert) => {
            support::check(before, after, Clone::clone)?;
            let mut steps = difference(before, after, &Hints::default())?;
            steps.extend(insert.map(SqliteStep::Statement));
            Ok(steps)
        }
    }
}

/// How an operation is done.
enum Treatment {
    /// By these statements; by none: there is nothing to do.
    Statements(Vec<String>),
    /// By making the one projection out of the other.
    Difference(Hints),
    /// The same, and then by this statement.
    Filled(Option<String>),
}

/// What is special about an operation on SQLite. Most of them aren't: their effect on the projected schema says it all. What
/// has none there (a sequence, a function) must be refused here, or it would be dropped in silence.
fn treatment(operation: &Operation, before: &Schema) -> Result<Treatment, Unsupported> {
    if let Some(refused) = refused(operation) {
        return Err(refused);
    }
    let renamed = |rename| Ok(Treatment::Difference(Hints { rename: Some(rename), ..Hints::default() }));
    match operation {
        Operation::AddColumn(_)
        | Operation::AddConstraint(_)
        | Operation::AddEnumValue(_)
        | Operation::AddIdentity(_)
        | Operation::AlterComposite(_)
        | Operation::AlterConstraint(_)
        | Operation::AlterDomain(_)
        | Operation::AlterIdentity(_)
        | Operation::AlterOwner(_)
        | Operation::AlterPolicy(_)
        | Operation::AlterRowSecurity(_)
        | Operation::AlterRoutine(_)
        | Operation::AlterStorage(_)
        | Operation::AlterSequence(_)
        | Operation::AttachIndex(_)
        | Operation::AttachPartition(_)
        | Operation::CommentOn(_)
        | Operation::CreateComposite(_)
        | Operation::CreateDomain(_)
        | Operation::CreateEnum(_)
        | Operation::CreateExtension(_)
        | Operation::CreateIndex(_)
        | Operation::CreatePolicy(_)
        | Operation::CreateRoutine(_)
        | Operation::CreateSchema(_)
        | Operation::CreateSequence(_)
        | Operation::CreateTable(_)
        | Operation::CreateTrigger(_)
        | Operation::CreateView(_)
        | Operation::DetachPartition(_)
        | Operation::DropColumn(_)
        | Operation::DropConstraint(_)
        | Operation::DropDefault(_)
        | Operation::DropExpression(_)
        | Operation::DropExtension(_)
        | Operation::DropIdentity(_)
        | Operation::DropIndex(_)
        | Operation::DropNotNull(_)
        | Operation::DropPolicy(_)
        | Operation::DropRoutine(_)
        | Operation::DropSchema(_)
        | Operation::DropSequence(_)
        | Operation::DropTrigger(_)
        | Operation::DropType(_)
        | Operation::DropView(_)
        | Operation::Grant(_)
        | Operation::Inherit(_)
        | Operation::NoInherit(_)
        | Operation::RenameConstraint(_)
        | Operation::RenameIndex(_)
        | Operation::RenamePolicy(_)
        | Operation::RenameRoutine(_)
        | Operation::RenameSchema(_)
        | Operation::RenameSequence(_)
        | Operation::RenameTrigger(_)
        | Operation::RenameType(_)
        | Operation::Revoke(_)
        | Operation::SetDefault(_)
        | Operation::SetNotNull(_)
        | Operation::SetRoutineSchema(_)
        | Operation::SetTableSchema(_)
        | Operation::SetTriggerState(_)
        | Operation::SetTypeSchema(_)
        | Operation::ValidateConstraint(_) => Ok(Treatment::Difference(Hints::default())),
        Operation::CreateTableAs(operation) if operation.if_not_exists && before.relation_kind(&operation.table.name).is_some() => {
            Ok(Treatment::Statements(Vec::new()))
        }
        Operation::CreateTableAs(operation) => create_table_as(operation, before),
        Operation::AlterColumnType(operation) => alter_column_type(operation, before),
        Operation::DropTable(operation) => drop_table(operation, before),
        Operation::Backfill(operation) => {
            super::batched(operation, before).map(|batched| Treatment::Statements(batched.whole().into_iter().collect()))
        }
        Operation::Opaque(operation) => opaque(operation, before).map(Treatment::Statements),
        Operation::RenameColumn(operation) => {
            renamed(Rename::Column(operation.table.clone(), operation.column.clone(), operation.to.clone()))
        }
        Operation::RenameEnumValue(operation) => rename_enum_value(operation, before),
        Operation::RenameView(operation) => {
            triggers::can_rename_view(before, &operation.name.name)?;
            Ok(Treatment::Difference(Hints::default()))
        }
        Operation::RenameTable(operation) => renamed(Rename::Table(operation.table.clone(), operation.table.sibling(operation.to.clone()))),
    }
}

/// Why SQLite can't do an operation, whatever the schema around it is. What has no place in a projection must stand here.
pub(super) fn refused(operation: &Operation) -> Option<Unsupported> {
    match operation {
        Operation::AlterOwner(_) | Operation::Grant(_) | Operation::Revoke(_) => Some(Unsupported::new("SQLite has no roles")),
        Operation::AlterComposite(_) | Operation::CreateComposite(_) => Some(Unsupported::new("SQLite has no composite types")),
        Operation::AlterDomain(_) | Operation::CreateDomain(_) => Some(Unsupported::new("SQLite has no domains")),
        Operation::AlterPolicy(_)
        | Operation::AlterRowSecurity(_)
        | Operation::CreatePolicy(_)
        | Operation::DropPolicy(_)
        | Operation::RenamePolicy(_) => Some(Unsupported::new("SQLite has no row level security")),
        Operation::AlterSequence(operation) => {
            let owner = |change: &SequenceChange| matches!(change, SequenceChange::OwnedBy(_) | SequenceChange::Cache(_));
            let said = operation.changes.iter().all(owner);
            (!said).then(|| Unsupported::new("SQLite has no sequences"))
        }
        Operation::CreateExtension(operation) => {
            let known = HARMLESS_EXTENSIONS.contains(&operation.name.as_str());
            (!known).then(|| Unsupported::new(format!("SQLite has no extension `{}`", operation.name)))
        }
        Operation::CreateSchema(CreateSchema { name, .. })
        | Operation::DropSchema(DropSchema { name, .. })
        | Operation::SetTableSchema(SetTableSchema { schema: name, .. })
        | Operation::SetTypeSchema(SetTypeSchema { schema: name, .. }) => {
            (name.as_str() != DEFAULT_SCHEMA).then(|| Unsupported::new(format!("SQLite has no schema `{name}`")))
        }
        Operation::AlterRoutine(_)
        | Operation::CreateRoutine(_)
        | Operation::DropRoutine(_)
        | Operation::RenameRoutine(_)
        | Operation::SetRoutineSchema(_) => Some(Unsupported::new("SQLite has no functions or procedures of its own")),
        Operation::CreateTrigger(_) | Operation::DropTrigger(_) | Operation::RenameTrigger(_) | Operation::SetTriggerState(_) => {
            Some(Unsupported::new("SQLite has no functions that a trigger could execute: its triggers hold their statements themselves"))
        }
        Operation::AttachIndex(_) | Operation::AttachPartition(_) | Operation::DetachPartition(_) => {
            Some(Unsupported::new("SQLite has no partitions"))
        }
        Operation::Inherit(_) | Operation::NoInherit(_) => Some(Unsupported::new("SQLite has no inheritance")),
        Operation::RenameSchema(operation) => Some(Unsupported::new(format!("SQLite has no schema `{}`", operation.name))),
        Operation::CreateSequence(_) => Some(Unsupported::new("SQLite has no sequences")),
        Operation::CreateTable(operation) if operation.unknown => {
            let message = format!("SQLite takes columns from no other relation, and those of `{}` aren't known", operation.table.name);
            Some(Unsupported::with_help(message, "list the columns of the table"))
        }
        _ => None,
    }
}

/// Extensions whose functions have their like on SQLite, or that change nothing of what can be said.
const HARMLESS_EXTENSIONS: &[&str] = &["pg_stat_statements", "pgcrypto", "plpgsql", "uuid-ossp"];

/// The rows follow: on PostgreSQL they hold the label's number.
fn rename_enum_value(operation: &RenameEnumValue, before: &Schema) -> Result<Treatment, Unsupported> {
    let columns = before.columns_of_type(&operation.name);
    let is_array = |(table, column): &(QualifiedName, Name)| before.column(table, column.as_str()).is_some_and(|it| it.data_type.array);
    if let Some((table, column)) = columns.iter().find(|column| is_array(column)) {
        let message = format!("SQLite has no arrays: the values of `{table}.{column}` can't follow the label");
        let help = "rename the label in the rows by hand, in a `sqlite { … }` block";
        return Err(Unsupported::with_help(message, help));
    }
    let labels = Conversion::Labels(vec![(operation.from.to_string(), operation.to.to_string())]);
    let conversions = columns.into_iter().map(|(table, column)| (table, column, labels.clone())).collect();
    Ok(Treatment::Difference(Hints { conversions, ..Hints::default() }))
}

/// Whether an operation changes values even where the type that SQLite stores stays the same.
pub(super) fn computes_values(operation: &Operation, before: &Schema) -> bool {
    match operation {
        Operation::AlterColumnType(operation) => computation(operation, before).is_some(),
        _ => false,
    }
}

/// How the new values of a column come from the old ones, where storing them in another way isn't enough.
fn computation(operation: &AlterColumnType, before: &Schema) -> Option<Result<Expression, Unsupported>> {
    if let Some(using) = operation.using.as_ref().filter(|_| !operation.only_casts()) {
        return Some(translate::expression(using, before));
    }
    let old = before.column(&operation.table, operation.column.as_str())?;
    let column = operation.column.quoted();
    let (from, to) = (old.data_type.sql(), operation.data_type.sql());
    let dated = |name: &str| name.starts_with("timestamp") && !name.ends_with(']');
    // what SQLite doesn't read as a time stays as it is
    let sql = match (from.as_str(), to.as_str()) {
        (from, "date") if dated(from) => format!("coalesce(date({column}), {column})"),
        (from, to) if dated(from) && to.starts_with("time ") => format!("coalesce(time({column}), {column})"),
        ("date", to) if dated(to) => format!("coalesce(datetime({column}), {column})"),
        _ => return None,
    };
    Some(Ok(Expression::new(sql)))
}

fn alter_column_type(operation: &AlterColumnType, before: &Schema) -> Result<Treatment, Unsupported> {
    let Some(computation) = computation(operation, before).transpose()? else {
        return Ok(Treatment::Difference(Hints::default()));
    };
    let column = before.column(&operation.table, operation.column.as_str());
    let stays = column.is_some_and(|column| types::storage(&column.data_type, before) == types::storage(&operation.data_type, before));
    if stays && column.is_some_and(|column| column.data_type.named().is_none() && operation.data_type.named().is_none()) {
        let table = render::quoted(&operation.table.name);
        let statement = format!("update {table} set {} = {}", operation.column.quoted(), computation.sql());
        return Ok(Treatment::Statements(vec![statement]));
    }
    let conversion = (operation.table.clone(), operation.column.clone(), Conversion::Using(computation));
    Ok(Treatment::Difference(Hints { conversions: vec![conversion], ..Hints::default() }))
}

/// SQLite would make the types of the columns from the query, and not always those of PostgreSQL's: where the model knows them,
/// the table is made as it says, and then filled.
fn create_table_as(operation: &CreateTableAs, before: &Schema) -> Result<Treatment, Unsupported> {
    let name = &operation.table.name;
    super::support::in_default_schema(name)?;
    let query = translate::query(&operation.query, before)?;
    let table = render::quoted(&name.name);
    if operation.columns.is_some() {
        let insert = (!operation.without_data).then(|| format!("insert into {table} {}", query.sql()));
        return Ok(Treatment::Filled(insert));
    }
    if !operation.names.is_empty() || operation.without_data {
        return Err(Unsupported::new("SQLite takes names and rows of a table that is made by a query from the query"));
    }
    let exists = if operation.if_not_exists { "if not exists " } else { "" };
    Ok(Treatment::Statements(vec![format!("create table {exists}{table} as {}", query.sql())]))
}

/// The model has no foreign keys to a table that is dropped without `cascade`. A live database may have.
fn drop_table(operation: &DropTable, before: &Schema) -> Result<Treatment, Unsupported> {
    let foreign_keys = before.foreign_keys_to_table(&operation.name);
    let left = foreign_keys.iter().find(|key| !operation.releases.contains(key)).map(|(table, _)| table);
    match left.filter(|_| !operation.cascade) {
        Some(table) => Err(Unsupported::with_help(
            format!("table `{}` is the target of a foreign key of `{table}`", operation.name),
            "drop that foreign key first, or write `cascade`",
        )),
        None => Ok(Treatment::Difference(Hints::default())),
    }
}

fn opaque(operation: &Opaque, schema: &Schema) -> Result<Vec<String>, Unsupported> {
    let sql = operation.sql.sql();
    let refused = || Err(Unsupported::new(format!("SQLite has no `{}`", operation.kind)));
    let first = operation.kind.split(' ').next().unwrap_or_default();
    if sql.trim().is_empty() {
        return Ok(Vec::new());
    }
    match (first, operation.kind.as_str()) {
        // settings there are none, and rows are numbered on from the largest number that there was
        ("select", _) if sql.contains("set_config(") || sql.contains("setval(") => Ok(Vec::new()),
        ("insert" | "update" | "delete" | "select" | "with" | "values", _) => Ok(vec![translate::statement(sql, schema)?]),
        ("set" | "reset" | "lock" | "vacuum" | "analyze" | "reindex" | "cluster" | "checkpoint" | "discard" | "comment", _) => {
            Ok(Vec::new())
        }
        ("truncate", _) => super::truncate::truncate(operation, schema),
        // SQLite's own, from a block for it
        (_, "create trigger") if sql.split_whitespace().any(|word| word.eq_ignore_ascii_case("begin")) => Ok(vec![sql.to_owned()]),
        ("pragma", _) | (_, "create virtual") => Ok(vec![sql.to_owned()]),
        _ => refused(),
    }
}
