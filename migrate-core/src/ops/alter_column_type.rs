//! `alter table … alter column … type`.
//!
//! - **SQL**: `alter table documents alter column version type bigint using version::bigint`
//! - **Lock**: access exclusive on the table, and on the tables on the other end of its foreign keys
//! - **Rewrites**: the table with its indexes, unless every stored value is one of the new type as it stands; a check
//!   constraint of the column, another collation of an index, and an index with expressions or a condition have the table
//!   read whole
//! - **Transaction**: inside
//! - **Undo**: the previous type, where `using` computes nothing new; digits that were rounded off are lost
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `SET DATA TYPE`; `ATColumnChangeRequiresRewrite` of
//!   `src/backend/commands/tablecmds.c`, `CheckIndexCompatible` of `indexcmds.c`

use super::{alter_column, create_index};
use crate::checks;
use crate::data_type::{BaseType, DataType};
use crate::effects::{Effects, LockMode};
use crate::expression::Expression;
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, NoInverse, Operate, Operation};
use crate::ops::{DropIndex, SetDefault};
use crate::report::Report;
use crate::schema::{Column, ConstraintKind, Index, IndexKey, IndexKeyKind, ObjectKey, Origin, Schema, Table};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// Changes the type of a column, and its collation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlterColumnType {
    /// The table.
    pub table: QualifiedName,
    /// The column.
    pub column: Name,
    /// Its new type.
    pub data_type: DataType,
    /// Its new collation, where it is not that of the type.
    #[serde(default)]
    pub collation: Option<String>,
    /// How the new values come from the old ones, where PostgreSQL's own cast isn't meant.
    #[serde(default)]
    pub using: Option<Expression>,
}

impl AlterColumnType {
    /// The foreign keys that have the column on either end, by their own table and the other one.
    fn foreign_keys(&self, schema: &Schema) -> Vec<(QualifiedName, QualifiedName)> {
        let each =
            schema.tables_around(&self.table).flat_map(|table| table.constraints.values().map(move |constraint| (table, constraint)));
        each.filter_map(|(table, constraint)| {
            let ConstraintKind::ForeignKey(key) = &constraint.kind else { return None };
            let own = table.name == self.table && key.columns.contains(&self.column);
            let referenced = key.references == self.table && key.referenced_columns.contains(&self.column);
            (own || referenced).then(|| (table.name.clone(), key.references.clone()))
        })
        .collect()
    }

    /// Whether `using` is nothing but the column itself, cast to types: then casting the other way leads back.
    pub(crate) fn only_casts(&self) -> bool {
        self.targets().is_some()
    }

    /// The types that `using` casts to, in their order; `None` if it does something else.
    fn targets(&self) -> Option<Vec<DataType>> {
        self.using.as_ref().map_or_else(|| Some(Vec::new()), |using| cast_targets(using, &self.column))
    }

    /// Whether `using` is the one cast that PostgreSQL would apply anyway.
    fn is_plain_cast(&self) -> bool {
        let Some(targets) = self.targets() else { return false };
        matches!(targets.as_slice(), [] | [_]) && targets.iter().all(|target| *target == self.data_type)
    }

    /// Whether each cast on the way leaves what is stored as it stands. Values are tested by writing them anew.
    fn keeps_stored_values(&self, schema: &Schema, column: &Column) -> bool {
        let Some(targets) = self.targets() else { return false };
        let mut from = &column.data_type;
        targets.iter().chain([&self.data_type]).all(|to| {
            let before = std::mem::replace(&mut from, to);
            (before == to || !schema.is_tested(to)) && schema.stored_type(before).stores_like(schema.stored_type(to))
        })
    }

    /// Whether each cast on the way keeps every value, or refuses it.
    fn keeps_values(&self, schema: &Schema, column: &Column) -> bool {
        let Some(targets) = self.targets() else { return false };
        let mut from = &column.data_type;
        let casts = targets.iter().map(|to| (to, true)).chain([(&self.data_type, false)]);
        casts.into_iter().all(|(to, explicit)| {
            let (before, to) = (schema.stored_type(std::mem::replace(&mut from, to)), schema.stored_type(to));
            // what is no label of an enum is refused
            (before.keeps_values(to) && !(explicit && before.is_cut_by_cast(to))) || is_enum(schema, to)
        })
    }

    fn check_conversion(&self, schema: &Schema, column: &Column, report: &mut Report) {
        let at = self.data_type.written.as_ref().map_or(self.column.at, |written| written.at);
        if column.identity.is_some() && !self.data_type.is_integer() {
            let changed = Column { data_type: self.data_type.clone(), default: None, generated: None, ..column.clone() };
            report.check_identity(&self.table, &changed, at);
            return;
        }
        let is_enum = |data_type| is_enum(schema, data_type);
        // a domain is cast as what it is made of
        let (from, to) = (schema.stored_type(&column.data_type), schema.stored_type(&self.data_type));
        let converts = match from.converts_to(to) {
            // an enum converts to strings and back, and only the first by itself
            None if is_enum(to) && (from.named().is_none() || is_enum(from)) => Some(false),
            None if is_enum(from) && to.named().is_none() => Some(false),
            known => known,
        };
        if self.using.is_none() && converts == Some(false) {
            report.no_assignment_cast(&self.table, &self.column, &column.data_type, &self.data_type, at);
        }
    }

    fn check_dependents(&self, schema: &Schema, table: &Table, report: &mut Report) {
        for view in schema.views_reading_column(&self.table, self.column.as_str()) {
            let help = "drop the view first, and create it again afterwards".to_owned();
            report.column_has_dependent(&self.table, &self.column, &ObjectKey::View(view), help);
        }
        for trigger in schema.triggers_on_column(&self.table, self.column.as_str()) {
            let help = "drop the trigger first, and create it again afterwards".to_owned();
            report.column_has_dependent(&self.table, &self.column, &ObjectKey::Trigger(self.table.clone(), trigger), help);
        }
        let name = format!("column `{}.{}`", self.table, self.column);
        let policies = schema.policies_reading_column(&self.table, self.column.as_str());
        report.policies_depend(self.column.at, &name, &policies, "drop the policy first, and create it again afterwards");
        if table.is_partitioned_by(self.column.as_str()) {
            report.in_partition_key(&self.table, &self.column);
        }
        for dependent in table.columns.iter().filter(|other| other.name != self.column) {
            if dependent.generated.as_ref().is_some_and(|generated| generated.expression.mentions(self.column.as_str())) {
                let key = alter_column::key(&self.table, &dependent.name);
                let help = format!("drop column `{}` first, and add it again afterwards", dependent.name);
                report.column_has_dependent(&self.table, &self.column, &key, help);
            }
        }
    }
}

impl Operate for AlterColumnType {
    fn describe(&self) -> String {
        format!("change the type of `{}.{}` to `{}`", self.table, self.column, self.data_type)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Table(self.table.clone())]
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![alter_column::key(&self.table, &self.column)]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        report.needs_type(schema, &self.data_type);
        let Some(column) = report.column(schema, &self.table, &self.column) else { return };
        if !checks::own_column(schema, &self.table, &self.column, "change", report) {
            return;
        }
        if column.generated.is_some()
            && let Some(using) = &self.using
        {
            report.problem(using.at, format!("column `{}.{}` is generated: its values come from its expression", self.table, self.column));
        }
        self.check_conversion(schema, column, report);
        if let Some(table) = schema.table(&self.table) {
            self.check_dependents(schema, table, report);
        }
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        alter_column::change_all(schema, &self.table, &self.column, false, |column| {
            if let Some(default) = &mut column.default
                && column.data_type != self.data_type
            {
                default.keep_type(&column.data_type);
            }
            column.data_type = self.data_type.clone();
            column.collation.clone_from(&self.collation);
            if let Some(identity) = &mut column.identity {
                identity.options.data_type = None;
            }
        });
    }

    fn effects(&self, schema: &Schema) -> Effects {
        self.own_effects(schema).and_descendants(schema, &self.table)
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        self.convert_back(before)
    }

    fn render(&self) -> Vec<String> {
        let mut action = format!("type {}", self.data_type.sql());
        if let Some(collation) = &self.collation {
            let _ = write!(action, " collate {}", Name::new(collation.as_str()).quoted());
        }
        if let Some(using) = &self.using {
            let _ = write!(action, " using {}", using.sql());
        }
        alter_column::sql(&self.table, &self.column, &action)
    }
}

impl AlterColumnType {
    fn own_effects(&self, schema: &Schema) -> Effects {
        let mut effects = Effects::lock(&self.table, LockMode::AccessExclusive);
        let Some((table, column)) = schema.table(&self.table).and_then(|table| Some((table, table.column(self.column.as_str())?))) else {
            return effects.and_rewrite(&self.table);
        };
        let foreign_keys = self.foreign_keys(schema);
        for (own, other) in &foreign_keys {
            effects = effects.and_lock(own, LockMode::AccessExclusive).and_lock(other, LockMode::AccessExclusive);
        }
        effects.breaks_readers = !column.data_type.reads_like(&self.data_type);
        effects.loses_data = !self.keeps_values(schema, column);
        let other_collation = column.collation != self.collation;
        let involved = self.column.as_str();
        let checked = table.constraints.values().any(|constraint| match &constraint.kind {
            ConstraintKind::Check { expression, .. } => expression.mentions(involved),
            kind => kind.has_index() && kind.involves(involved) && (other_collation || kind.is_computed()),
        });
        let rebuilt = table.indexes.values().any(|index| index.involves(involved) && (other_collation || index.is_computed()));
        if !self.keeps_stored_values(schema, column) {
            let scanned = foreign_keys.into_iter().map(|(own, _)| own).filter(|own| *own != self.table);
            scanned.fold(effects.and_rewrite(&self.table), |effects, own| effects.and_scan(&own))
        } else if checked || rebuilt {
            effects.and_scan(&self.table)
        } else {
            effects
        }
    }

    fn convert_back(&self, before: &Schema) -> Inverse {
        let column = alter_column::before(before, &self.table, &self.column)?;
        if column.data_type == self.data_type && column.collation == self.collation && self.is_plain_cast() {
            return Ok(Vec::new());
        }
        if !self.only_casts() {
            return Err(NoInverse::because("`using` computes new values, from which the old ones aren't known"));
        }
        let old = &column.data_type;
        let named = [old, &self.data_type].iter().any(|data_type| matches!(data_type.base, BaseType::Named(_)));
        let using = match self.data_type.converts_to(old) {
            Some(true) => None,
            // every type converts to text and back
            _ if named || old.array || self.data_type.array => Some(format!("{}::text::{}", self.column.quoted(), old.sql())),
            _ => Some(format!("{}::{}", self.column.quoted(), old.sql())),
        };
        let inverse = Self {
            table: self.table.clone(),
            column: self.column.clone(),
            data_type: old.clone(),
            collation: column.collation.clone(),
            using: using.map(Expression::new),
        };
        // PostgreSQL goes on with the expression as it reads for the other type, which isn't always the same on the way back
        let table = before.table(&self.table);
        let rests_on_expression = |index: &Index| {
            let is_expression = |key: &IndexKey| matches!(&key.kind, IndexKeyKind::Expression(it) if it.mentions(self.column.as_str()));
            index.keys.iter().any(is_expression)
        };
        let drops = table.iter().flat_map(|table| table.indexes.values().filter(|index| rests_on_expression(index)));
        let drops = drops.map(|index| DropIndex::new(self.table.sibling(index.name.clone())).into());
        let mut operations: Vec<Operation> = drops.chain([inverse.into()]).collect();
        if let Some(table) = table {
            create_index::recreate_indexes(table, rests_on_expression, &mut operations);
        }
        // nor is a default that was read as a value of the old type
        if let Some(default) = &column.default {
            let mut kept = default.clone();
            kept.keep_type(old);
            if kept != *default {
                let (table, column) = (self.table.clone(), self.column.clone());
                operations.push(SetDefault { table, column, only: false, default: default.clone() }.into());
            }
        }
        Ok(operations)
    }
}

fn is_enum(schema: &Schema, data_type: &DataType) -> bool {
    data_type.named().is_some_and(|name| schema.enums.contains_key(name))
}

/// The types that `column::a::b` casts to, one after the other; `None` for any other expression.
fn cast_targets(using: &Expression, column: &Name) -> Option<Vec<DataType>> {
    let canonical = using.canonical();
    let mut text = canonical.as_str();
    while let Some(inside) = text.strip_prefix("( ").and_then(|text| text.strip_suffix(" )")).filter(|inside| balanced(inside)) {
        text = inside;
    }
    let (value, rest) = match text.strip_prefix("( ").and_then(|rest| rest.split_once(" )")) {
        Some((value, rest)) => (cast_targets(&Expression::new(value), column)?, rest.trim_start()),
        None => (Vec::new(), text.strip_prefix(column.quoted().as_str())?.trim_start()),
    };
    let mut targets = value;
    if rest.is_empty() {
        return Some(targets);
    }
    for target in rest.strip_prefix("::")?.split("::") {
        targets.push(read_type(target.trim())?);
    }
    Some(targets)
}

fn balanced(text: &str) -> bool {
    let mut depth = 0_i32;
    text.split(' ').all(|token| {
        depth += match token {
            "(" => 1,
            ")" => -1,
            _ => 0,
        };
        depth >= 0
    })
}

/// A type out of canonical tokens: `character varying ( 50 )`, `public . status`, `timestamp ( 3 ) with time zone`.
fn read_type(text: &str) -> Option<DataType> {
    let (text, array) = text.strip_suffix("[ ]").map_or((text, false), |base| (base.trim_end(), true));
    let (words, modifier) = match text.split_once(" ( ") {
        Some((before, rest)) => {
            let (modifier, after) = rest.split_once(" )")?;
            (format!("{before}{after}"), Some(modifier.to_owned()))
        }
        None => (text.to_owned(), None),
    };
    let (schema, words) = match words.split_once(" . ") {
        Some((schema, name)) => (Some(Name::new(schema.trim_matches('"'))), name.to_owned()),
        None => (None, words),
    };
    let words: Vec<Name> = words.split(' ').map(|word| Name::new(word.trim_matches('"'))).collect();
    words.iter().all(|word| word.as_str().chars().all(|c| c.is_alphanumeric() || c == '_')).then_some(())?;
    Some(DataType::from_words(schema.as_ref(), &words, modifier, array))
}

#[cfg(feature = "parser")]
mod lower {
    use super::AlterColumnType;
    use crate::lower::syntax;
    use crate::name::{Name, QualifiedName};
    use squawk_syntax::ast;

    impl AlterColumnType {
        pub(crate) fn lower(table: &QualifiedName, column: Name, action: &ast::SetType) -> Option<Self> {
            let collation = match action.collate() {
                Some(collate) => Some(syntax::path_ref(&collate.collation_ref()?.path_ref()?)?.name.to_string()),
                None => None,
            };
            let using = match action.using_expr() {
                Some(using) => Some(syntax::expression(&using.expr()?)),
                None => None,
            };
            Some(Self { table: table.clone(), column, data_type: syntax::data_type(&action.ty()?)?, collation, using })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(using: &str) -> Option<Vec<String>> {
        let targets = cast_targets(&Expression::new(using), &Name::new("x"))?;
        Some(targets.iter().map(DataType::sql).collect())
    }

    #[test]
    fn recognises_chains_of_casts() {
        let types = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(targets("x"), types(&[]));
        assert_eq!(targets("X::Varchar(50)"), types(&["character varying(50)"]));
        assert_eq!(targets("(x::text)::public.status"), types(&["text", "public.status"]));
        assert_eq!(targets("((x)::timestamp(3) with time zone)"), types(&["timestamp(3) with time zone"]));
        assert_eq!(targets("x::text[]"), types(&["text[]"]));
        for other in ["x::integer + 1", "length(x)", "(x)::integer + (x)::integer", "y::integer", "xy::integer", "nullif(x, '')::integer"] {
            assert_eq!(targets(other), None, "{other}");
        }
    }
}
