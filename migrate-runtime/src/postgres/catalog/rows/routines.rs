//! Functions and procedures.

use migrate_core::data_type::DataType;
use migrate_core::expression::Expression;
use migrate_core::name::{Name, QualifiedName};
use migrate_core::schema::{
    Argument, ArgumentMode, Origin, Parallel, Returns, Routine, RoutineAttributes, RoutineBody, RoutineKind, Signature, Volatility,
    read_setting,
};
use serde::Deserialize;
use std::collections::BTreeSet;

#[derive(Debug, Deserialize)]
pub(super) struct RoutineRow {
    schema: Name,
    name: Name,
    procedure: bool,
    types: Vec<String>,
    modes: Option<Vec<String>>,
    names: Option<Vec<String>>,
    defaults: Option<Vec<Option<String>>>,
    returns: String,
    set: bool,
    language: Name,
    source: String,
    library: Option<String>,
    definition: Option<String>,
    volatility: String,
    strict: bool,
    security_definer: bool,
    leakproof: bool,
    parallel: String,
    cost: String,
    rows: String,
    settings: Option<Vec<String>>,
    comment: Option<String>,
}

impl RoutineRow {
    pub(super) fn into_routine(self) -> (Signature, Routine) {
        let (arguments, columns) = self.arguments();
        let mut routine = Routine {
            kind: if self.procedure { RoutineKind::Procedure } else { RoutineKind::Function },
            returns: self.returns(&arguments, columns),
            arguments,
            attributes: self.attributes(),
            body: match (self.library, self.definition) {
                (Some(file), _) => RoutineBody::Library(file, self.source),
                (None, Some(definition)) => understood(&definition).map_or(RoutineBody::Text(self.source), RoutineBody::Sql),
                (None, None) => RoutineBody::Text(self.source),
            },
            language: self.language,
            unmodelled: BTreeSet::new(),
            comment: self.comment,
            origin: Origin::default(),
        };
        let usual = routine.usual_cost();
        routine.attributes.cost = Some(self.cost).filter(|cost| cost != usual);
        // `0` of what gives one row
        routine.attributes.rows = Some(self.rows).filter(|rows| !matches!(rows.as_str(), "0" | "1000"));
        (routine.signature(&QualifiedName::new(self.schema, self.name)), routine)
    }

    /// The arguments, and the columns of `returns table`.
    fn arguments(&self) -> (Vec<Argument>, Vec<(Name, DataType)>) {
        let (mut arguments, mut columns) = (Vec::new(), Vec::new());
        for (place, data_type) in self.types.iter().enumerate() {
            let data_type = DataType::from_catalog(data_type);
            let name = self.names.as_ref().and_then(|names| names.get(place)).filter(|name| !name.is_empty());
            let name = name.map(|name| Name::new(name.as_str()));
            let mode = match self.modes.as_ref().and_then(|modes| modes.get(place)).map(String::as_str) {
                Some("t") => {
                    columns.push((name.unwrap_or_else(|| Name::new("")), data_type));
                    continue;
                }
                Some("o") => ArgumentMode::Out,
                Some("b") => ArgumentMode::InOut,
                Some("v") => ArgumentMode::Variadic,
                _ => ArgumentMode::In,
            };
            let default = self.defaults.as_ref().and_then(|defaults| defaults.get(place).cloned().flatten());
            let default = default.map(|default| Expression::from_catalog(&default));
            arguments.push(Argument { mode, name, data_type, default });
        }
        (arguments, columns)
    }

    fn returns(&self, arguments: &[Argument], columns: Vec<(Name, DataType)>) -> Returns {
        let told = arguments.iter().any(|argument| argument.mode.is_output());
        let data_type = DataType::from_catalog(&self.returns);
        match (columns.is_empty(), self.set) {
            _ if self.procedure => Returns::Nothing,
            (false, _) => Returns::Table(columns),
            (true, true) => Returns::Set(data_type),
            (true, false) if told => Returns::Nothing,
            (true, false) => Returns::Value(data_type),
        }
    }

    fn attributes(&self) -> RoutineAttributes {
        let settings = self.settings.iter().flatten().filter_map(|setting| setting.split_once('='));
        RoutineAttributes {
            volatility: match self.volatility.as_str() {
                "i" => Volatility::Immutable,
                "s" => Volatility::Stable,
                _ => Volatility::Volatile,
            },
            strict: self.strict,
            security_definer: self.security_definer,
            leakproof: self.leakproof,
            parallel: match self.parallel.as_str() {
                "s" => Parallel::Safe,
                "r" => Parallel::Restricted,
                _ => Parallel::Unsafe,
            },
            settings: settings.map(|(name, value)| (name.to_lowercase(), read_setting(&name.to_lowercase(), value))).collect(),
            ..RoutineAttributes::default()
        }
    }
}

/// The body that `pg_get_functiondef` prints on lines of its own, behind the options.
pub(crate) fn understood(definition: &str) -> Option<Expression> {
    let start = definition.lines().find(|line| line.starts_with("RETURN ") || *line == "BEGIN ATOMIC")?;
    let start = definition.find(&format!("\n{start}"))?;
    Some(Expression::new(definition.get(start..)?.trim().trim_end_matches(';')))
}
