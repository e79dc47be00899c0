//! Functions and procedures.

use super::{ObjectKey, Origin, Policy, Schema, Table};
use crate::data_type::{BaseType, DataType};
use crate::expression::{Expression, Token, is_built_in_function, tokens};
use crate::name::{At, Name, QualifiedName, dollar_quote, quote_identifier, quote_literal};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

/// What a function or procedure is known by: functions of one name differ in the types of what is passed to them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Signature {
    /// Its name.
    pub name: QualifiedName,
    /// The types of its `in`, `inout` and `variadic` arguments, qualified and without modifiers.
    pub arguments: Vec<String>,
}

impl Signature {
    /// `public.f(text, public.status)`.
    #[must_use]
    pub fn sql(&self) -> String {
        format!("{}({})", self.name.quoted(), self.arguments.join(", "))
    }
}

/// As a person reads it: without the default schema.
impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arguments: Vec<_> = self.arguments.iter().map(|argument| argument.strip_prefix("public.").unwrap_or(argument)).collect();
        write!(f, "{}({})", self.name, arguments.join(", "))
    }
}

/// A function or procedure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routine {
    /// Which of both.
    pub kind: RoutineKind,
    /// Its arguments, without the columns of `returns table`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<Argument>,
    /// What stands behind `returns`.
    #[serde(default, skip_serializing_if = "Returns::is_nothing")]
    pub returns: Returns,
    /// Its language.
    pub language: Name,
    /// What it does.
    pub body: RoutineBody,
    /// Everything else.
    #[serde(default)]
    pub attributes: RoutineAttributes,
    /// What statements that the model has no operation for left on it, and nobody could bring back: grants, an owner.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unmodelled: BTreeSet<String>,
    /// The text of `comment on function`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Who created it.
    #[serde(default)]
    pub origin: Origin,
}

/// A function or a procedure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoutineKind {
    /// Called in expressions.
    Function,
    /// Called by `call`.
    Procedure,
}

impl RoutineKind {
    /// As SQL.
    #[must_use]
    pub fn sql(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Procedure => "procedure",
        }
    }
}

/// An argument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Argument {
    /// Which way it goes.
    #[serde(default)]
    pub mode: ArgumentMode,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// Its type, without a modifier: PostgreSQL forgets that.
    pub data_type: DataType,
    /// What is passed where the caller passes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Expression>,
}

impl Argument {
    /// Without its default, as `drop` takes it, too.
    #[must_use]
    pub fn sql(&self) -> String {
        let mode = match self.mode {
            ArgumentMode::In => "",
            ArgumentMode::Out => "out ",
            ArgumentMode::InOut => "inout ",
            ArgumentMode::Variadic => "variadic ",
        };
        let name = self.name.as_ref().map(|name| format!("{} ", name.quoted())).unwrap_or_default();
        format!("{mode}{name}{}", self.data_type.sql())
    }
}

/// Which way an argument goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArgumentMode {
    /// `in`.
    #[default]
    In,
    /// `out`.
    Out,
    /// `inout`.
    InOut,
    /// `variadic`.
    Variadic,
}

impl ArgumentMode {
    /// Whether the caller passes it.
    #[must_use]
    pub fn is_input(self) -> bool {
        self != Self::Out
    }

    /// Whether the caller gets it.
    #[must_use]
    pub fn is_output(self) -> bool {
        matches!(self, Self::Out | Self::InOut)
    }
}

/// What a function returns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Returns {
    /// Its `out` arguments, or nothing, as a procedure.
    #[default]
    Nothing,
    /// A value of a type.
    Value(DataType),
    /// `setof`.
    Set(DataType),
    /// `table (…)`.
    Table(Vec<(Name, DataType)>),
}

impl Returns {
    fn is_nothing(&self) -> bool {
        *self == Self::Nothing
    }

    /// What stands behind `returns`.
    #[must_use]
    pub fn sql(&self) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Value(data_type) => Some(data_type.sql()),
            Self::Set(data_type) => Some(format!("setof {}", data_type.sql())),
            Self::Table(columns) => {
                let columns: Vec<_> = columns.iter().map(|(name, data_type)| format!("{} {}", name.quoted(), data_type.sql())).collect();
                Some(format!("table ({})", columns.join(", ")))
            }
        }
    }

    /// Its types.
    fn types_mut(&mut self) -> Vec<&mut DataType> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Value(data_type) | Self::Set(data_type) => vec![data_type],
            Self::Table(columns) => columns.iter_mut().map(|(_, data_type)| data_type).collect(),
        }
    }

    /// Its types.
    #[must_use]
    pub fn types(&self) -> Vec<&DataType> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Value(data_type) | Self::Set(data_type) => vec![data_type],
            Self::Table(columns) => columns.iter().map(|(_, data_type)| data_type).collect(),
        }
    }
}

/// What a routine does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoutineBody {
    /// `as '…'`: what its language makes of a text.
    Text(String),
    /// `as 'file', 'symbol'`.
    Library(String, String),
    /// `return …` or `begin atomic … end`, which PostgreSQL understands when the routine is created.
    Sql(Expression),
}

/// How a routine may be called, and what it costs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RoutineAttributes {
    /// `volatile`, `stable`, `immutable`.
    pub volatility: Volatility,
    /// Where that is written.
    #[serde(skip)]
    pub volatility_at: At,
    /// `strict`.
    pub strict: bool,
    /// `security definer`.
    pub security_definer: bool,
    /// Where that is written.
    #[serde(skip)]
    pub security_definer_at: At,
    /// `leakproof`.
    pub leakproof: bool,
    /// `parallel`.
    pub parallel: Parallel,
    /// `cost`, where it isn't the usual one of the language.
    pub cost: Option<String>,
    /// `rows`, where it isn't 1000.
    pub rows: Option<String>,
    /// `set`: the values by the name of the setting.
    pub settings: BTreeMap<String, Vec<String>>,
}

/// Whether the same arguments always give the same result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Volatility {
    /// Never surely.
    #[default]
    Volatile,
    /// Within a statement.
    Stable,
    /// For ever.
    Immutable,
}

impl Volatility {
    /// As SQL.
    #[must_use]
    pub fn sql(self) -> &'static str {
        match self {
            Self::Volatile => "volatile",
            Self::Stable => "stable",
            Self::Immutable => "immutable",
        }
    }
}

/// Whether a routine can run in a parallel query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parallel {
    /// It can't.
    #[default]
    Unsafe,
    /// In the leader only.
    Restricted,
    /// Anywhere.
    Safe,
}

impl Parallel {
    /// As SQL, behind `parallel`.
    #[must_use]
    pub fn sql(self) -> &'static str {
        match self {
            Self::Unsafe => "unsafe",
            Self::Restricted => "restricted",
            Self::Safe => "safe",
        }
    }
}

/// Settings whose value is a list of names (`GUC_LIST_QUOTE`), sorted. PostgreSQL keeps any other value as one text.
pub const LISTS: &[&str] = &[
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
];

/// The values of a setting, out of what the catalog keeps of them.
#[must_use]
pub fn read_setting(name: &str, value: &str) -> Vec<String> {
    if !LISTS.contains(&name) {
        return vec![value.to_owned()];
    }
    let names = tokens(value).into_iter().filter_map(|(token, _)| match token {
        Token::Word(text) | Token::Quoted(text) => Some(text),
        _ => None,
    });
    names.collect()
}

/// `set search_path to 'public', 'pg_temp'`.
#[must_use]
pub fn setting_sql(name: &str, values: &[String]) -> String {
    let name: Vec<_> = name.split('.').map(quote_identifier).collect();
    let values: Vec<_> = values.iter().map(|value| quote_literal(value)).collect();
    format!("set {} to {}", name.join("."), values.join(", "))
}

impl RoutineAttributes {
    /// Those that aren't the usual ones, as clauses of `create function`.
    #[must_use]
    pub fn clauses(&self) -> Vec<String> {
        let mut clauses = Vec::new();
        if self.volatility != Volatility::Volatile {
            clauses.push(self.volatility.sql().to_owned());
        }
        for (flag, clause) in [(self.leakproof, "leakproof"), (self.strict, "strict"), (self.security_definer, "security definer")] {
            if flag {
                clauses.push(clause.to_owned());
            }
        }
        if self.parallel != Parallel::Unsafe {
            clauses.push(format!("parallel {}", self.parallel.sql()));
        }
        clauses.extend(self.cost.iter().map(|cost| format!("cost {cost}")));
        clauses.extend(self.rows.iter().map(|rows| format!("rows {rows}")));
        clauses.extend(self.settings.iter().map(|(name, values)| setting_sql(name, values)));
        clauses
    }
}

impl Routine {
    /// What it is known by, under a name.
    #[must_use]
    pub fn signature(&self, name: &QualifiedName) -> Signature {
        let input = self.arguments.iter().filter(|argument| argument.mode.is_input());
        Signature { name: name.clone(), arguments: input.map(|argument| argument.data_type.sql()).collect() }
    }

    /// What `cost` is where nobody says it.
    #[must_use]
    pub fn usual_cost(&self) -> &'static str {
        if self.language == *"c" || self.language == *"internal" { "1" } else { "100" }
    }

    /// What stands between the name and the language: arguments and result.
    #[must_use]
    pub fn head(&self) -> String {
        let arguments: Vec<_> = self
            .arguments
            .iter()
            .map(|argument| {
                let default = argument.default.as_ref().map(|default| format!(" default {}", default.sql())).unwrap_or_default();
                format!("{}{default}", argument.sql())
            })
            .collect();
        let returns = self.returns.sql().map(|returns| format!(" returns {returns}")).unwrap_or_default();
        format!("({}){returns}", arguments.join(", "))
    }

    /// What follows `create function`: its name and everything else.
    #[must_use]
    pub fn sql(&self, name: &QualifiedName) -> String {
        let mut sql = format!("{}{}", name.quoted(), self.head());
        let _ = write!(sql, " language {}", self.language.quoted());
        for clause in self.attributes.clauses() {
            let _ = write!(sql, " {clause}");
        }
        match &self.body {
            RoutineBody::Text(text) => {
                let _ = write!(sql, " as {}", dollar_quote(text));
            }
            RoutineBody::Library(file, symbol) => {
                let _ = write!(sql, " as {}, {}", quote_literal(file), quote_literal(symbol));
            }
            RoutineBody::Sql(body) => {
                let _ = write!(sql, "\n{}", body.sql());
            }
        }
        sql
    }

    /// The types of its arguments and its result.
    pub fn types(&self) -> impl Iterator<Item = &DataType> {
        self.arguments.iter().map(|argument| &argument.data_type).chain(self.returns.types())
    }

    /// Whether an argument or a result is of the type, or an array of it.
    #[must_use]
    pub fn uses_type(&self, name: &QualifiedName) -> bool {
        self.types().any(|data_type| data_type.named() == Some(name))
    }

    /// Follows the rename of a type.
    fn rename_type(&mut self, from: &QualifiedName, to: &QualifiedName) {
        let arguments = self.arguments.iter_mut();
        for data_type in arguments.map(|argument| &mut argument.data_type).chain(self.returns.types_mut()) {
            if let BaseType::Named(name) = &mut data_type.base
                && name == from
            {
                *name = to.clone();
            }
        }
        for default in self.arguments.iter_mut().filter_map(|argument| argument.default.as_mut()) {
            default.rename_type(from, to);
        }
    }
}

impl Schema {
    /// The functions and procedures of this name.
    pub fn routines_called<'a>(&'a self, name: &QualifiedName) -> impl Iterator<Item = (&'a Signature, &'a Routine)> + use<'a> {
        let first = Signature { name: name.clone(), arguments: Vec::new() };
        let name = name.clone();
        self.routines.from(&first).take_while(move |(signature, _)| signature.name == name)
    }

    /// What surely calls the function: columns by their default or what they are generated from, constraints, policies,
    /// indexes, views, triggers by their condition. Where several functions have its name, nobody knows which of them is called.
    #[must_use]
    pub fn callers_of(&self, function: &Signature) -> Vec<ObjectKey> {
        let name = &function.name;
        let overloaded = self.routines_called(name).nth(1).is_some() || self.other_routines.contains(name);
        if overloaded || is_built_in_function(name.name.as_str()) {
            return Vec::new();
        }
        let mut callers = Vec::new();
        for table in self.tables.values() {
            for column in &table.columns {
                let generated = column.generated.as_ref().map(|generated| &generated.expression);
                if column.default.iter().chain(generated).any(|expression| expression.calls(name)) {
                    callers.push(ObjectKey::Column(table.name.clone(), column.name.clone()));
                }
            }
            for constraint in table.constraints.values() {
                if constraint.kind.expressions().any(|expression| expression.calls(name)) {
                    callers.push(ObjectKey::Constraint(table.name.clone(), constraint.name.clone()));
                }
            }
            let policies = table.policies.iter().filter(|(_, policy)| policy.expressions().any(|expression| expression.calls(name)));
            callers.extend(policies.map(|(policy, _)| ObjectKey::Policy(table.name.clone(), policy.clone())));
            let indexes = table.indexes.values().filter(|index| index.expressions().any(|expression| expression.calls(name)));
            callers.extend(indexes.map(|index| ObjectKey::Index(table.name.sibling(index.name.clone()))));
        }
        let views = self.views.iter().filter(|(_, view)| view.query.calls(name));
        callers.extend(views.map(|(view, _)| ObjectKey::View(view.clone())));
        for (relation, triggers) in &self.triggers {
            let calling = triggers.iter().filter(|(_, trigger)| trigger.when.as_ref().is_some_and(|when| when.calls(name)));
            callers.extend(calling.map(|(trigger, _)| ObjectKey::Trigger(relation.clone(), trigger.clone())));
        }
        callers
    }

    /// Whether something may call the function that isn't among its callers, as nobody knows which of several is called.
    #[must_use]
    pub fn may_be_called(&self, function: &Signature) -> bool {
        let name = &function.name;
        let overloaded = self.routines_called(name).nth(1).is_some() || self.other_routines.contains(name);
        let policies = self.tables.values().flat_map(|table| table.policies.values()).flat_map(Policy::expressions);
        let tables = self.tables.values().flat_map(Table::expressions).chain(policies);
        overloaded && tables.chain(self.views.values().map(|view| &view.query)).any(|expression| expression.calls(name))
    }

    /// The functions and procedures that take or return the type.
    #[must_use]
    pub fn routines_using_type(&self, name: &QualifiedName) -> Vec<Signature> {
        self.routines.iter().filter(|(_, routine)| routine.uses_type(name)).map(|(signature, _)| signature.clone()).collect()
    }

    /// The triggers that execute a function, with their relations.
    #[must_use]
    pub fn triggers_executing(&self, function: &Signature) -> Vec<(QualifiedName, Name)> {
        let all = self.triggers.iter().flat_map(|(relation, triggers)| triggers.iter().map(move |(name, it)| (relation, name, it)));
        let executing = all.filter(|(_, _, trigger)| function.arguments.is_empty() && trigger.function == function.name);
        executing.map(|(relation, name, _)| (relation.clone(), name.clone())).collect()
    }

    /// Functions and procedures follow the rename of a type, triggers not: a trigger's function takes nothing.
    pub(super) fn rename_type_in_routines(&mut self, from: &QualifiedName, to: &QualifiedName) {
        if self.routines_using_type(from).is_empty() {
            return;
        }
        let routines = std::mem::take(&mut self.routines).into_iter().map(|(signature, mut routine)| {
            routine.rename_type(from, to);
            (routine.signature(&signature.name), routine)
        });
        self.routines = routines.collect();
    }

    /// Gives a function or procedure another name, in its schema or in another, with everything that refers to it. The answer
    /// says whether there was anything to rename.
    pub fn move_routine(&mut self, from: &Signature, to: &QualifiedName) -> bool {
        let target = Signature { name: to.clone(), arguments: from.arguments.clone() };
        if self.routines.contains_key(&target) {
            return false;
        }
        let Some(routine) = self.routines.remove(from) else { return false };
        let overloaded = self.routines_called(&from.name).next().is_some() || self.other_routines.contains(&from.name);
        self.routines.insert(target, routine);
        for (relation, name) in self.triggers_executing(from) {
            if let Some(trigger) = self.trigger_mut(&relation, &name) {
                trigger.function = to.clone();
            }
        }
        if !overloaded {
            self.each_expression(|expression| expression.rename_function(&from.name, to));
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_written_as_strings() {
        let values = ["public".to_owned(), "Odd, one".to_owned()];
        assert_eq!(setting_sql("search_path", &values), "set search_path to 'public', 'Odd, one'");
        assert_eq!(setting_sql("app.user", &[String::new()]), "set app.\"user\" to ''");
    }

    #[test]
    fn a_list_of_names_is_read_and_any_other_value_is_one_text() {
        assert_eq!(read_setting("search_path", "public, \"Odd, one\", \"\""), ["public", "Odd, one", ""]);
        assert_eq!(read_setting("datestyle", "ISO, MDY"), ["ISO, MDY"]);
    }

    #[test]
    fn a_person_reads_no_default_schema() {
        let signature = Signature { name: QualifiedName::public("f"), arguments: vec!["text".to_owned(), "public.status".to_owned()] };
        assert_eq!(signature.to_string(), "f(text, status)");
        assert_eq!(signature.sql(), "public.f(text, public.status)");
    }
}
