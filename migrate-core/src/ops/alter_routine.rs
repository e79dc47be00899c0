//! `alter function`, `alter procedure`, `alter routine`: how it may be called, and with which settings.
//!
//! - **SQL**: `alter function touch() set search_path to public`
//! - **Lock**: none on tables
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: `create or replace` with the previous definition
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER FUNCTION`, `ALTER PROCEDURE`

use crate::effects::Effects;
use crate::operation::{Inverse, Operate};
use crate::ops::{CreateRoutine, RoutineReference};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Parallel, RoutineAttributes, Schema, Volatility, setting_sql};
use serde::{Deserialize, Serialize};

/// Changes attributes of a function or procedure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlterRoutine {
    /// The function or procedure.
    pub routine: RoutineReference,
    /// What changes.
    pub changes: Vec<RoutineChange>,
}

/// A change of one attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoutineChange {
    /// `immutable`, `stable`, `volatile`.
    Volatility(Volatility),
    /// `strict`, `called on null input`.
    Strict(bool),
    /// `security definer`, `security invoker`.
    SecurityDefiner(bool),
    /// `leakproof`, `not leakproof`.
    Leakproof(bool),
    /// `parallel`.
    Parallel(Parallel),
    /// `cost`.
    Cost(String),
    /// `rows`.
    Rows(String),
    /// `set`.
    Set(String, Vec<String>),
    /// `reset`.
    Reset(String),
    /// `reset all`.
    ResetAll,
}

impl RoutineChange {
    fn apply(&self, attributes: &mut RoutineAttributes, usual_cost: &str) {
        match self {
            Self::Volatility(volatility) => attributes.volatility = *volatility,
            Self::Strict(strict) => attributes.strict = *strict,
            Self::SecurityDefiner(definer) => attributes.security_definer = *definer,
            Self::Leakproof(leakproof) => attributes.leakproof = *leakproof,
            Self::Parallel(parallel) => attributes.parallel = *parallel,
            Self::Cost(cost) => attributes.cost = Some(cost.clone()).filter(|cost| cost != usual_cost),
            Self::Rows(rows) => attributes.rows = Some(rows.clone()).filter(|rows| rows != "1000"),
            Self::Set(name, values) => {
                attributes.settings.insert(name.clone(), values.clone());
            }
            Self::Reset(name) => {
                attributes.settings.remove(name);
            }
            Self::ResetAll => attributes.settings.clear(),
        }
    }

    fn sql(&self) -> String {
        match self {
            Self::Volatility(volatility) => volatility.sql().to_owned(),
            Self::Strict(strict) => if *strict { "strict" } else { "called on null input" }.to_owned(),
            Self::SecurityDefiner(definer) => if *definer { "security definer" } else { "security invoker" }.to_owned(),
            Self::Leakproof(leakproof) => if *leakproof { "leakproof" } else { "not leakproof" }.to_owned(),
            Self::Parallel(parallel) => format!("parallel {}", parallel.sql()),
            Self::Cost(cost) => format!("cost {cost}"),
            Self::Rows(rows) => format!("rows {rows}"),
            Self::Set(name, values) => setting_sql(name, values),
            Self::Reset(name) => format!("reset {}", name.split('.').map(crate::name::quote_identifier).collect::<Vec<_>>().join(".")),
            Self::ResetAll => "reset all".to_owned(),
        }
    }
}

impl Operate for AlterRoutine {
    fn describe(&self) -> String {
        format!("alter {} `{}`", self.routine.word(), self.routine)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        Vec::new()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        self.routine.key().into_iter().collect()
    }

    fn bind(&mut self, schema: &Schema) {
        self.routine.bind(schema);
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        self.routine.check(schema, report);
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        let Some(signature) = self.routine.find(schema).map(|(signature, _)| signature.clone()) else { return };
        if let Some(routine) = schema.routines.get_mut(&signature) {
            let usual_cost = routine.usual_cost();
            self.changes.iter().for_each(|change| change.apply(&mut routine.attributes, usual_cost));
        }
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects::default()
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        let (signature, routine) = self.routine.find(before).ok_or_else(|| self.routine.unknown())?;
        Ok(vec![CreateRoutine { or_replace: true, ..CreateRoutine::of(&signature.name, routine) }.into()])
    }

    fn render(&self) -> Vec<String> {
        let changes: Vec<_> = self.changes.iter().map(RoutineChange::sql).collect();
        vec![format!("alter {} {}", self.routine.sql(), changes.join(" "))]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::{AlterRoutine, RoutineChange};
    use crate::lower::routines;
    use crate::ops::RoutineReference;
    use crate::schema::RoutineAttributes;
    use squawk_syntax::ast;

    impl AlterRoutine {
        pub(crate) fn lower(routine: RoutineReference, options: &ast::FuncOptionList) -> Option<Self> {
            let changes: Vec<_> = options.options().map(|option| change(&option)).collect::<Option<_>>()?;
            Some(Self { routine, changes }).filter(|it| !it.changes.is_empty())
        }
    }

    fn change(option: &ast::FuncOption) -> Option<RoutineChange> {
        let mut attributes = RoutineAttributes::default();
        routines::attribute(option, &mut attributes)?;
        Some(match option {
            ast::FuncOption::VolatilityFuncOption(_) => RoutineChange::Volatility(attributes.volatility),
            ast::FuncOption::StrictFuncOption(_)
            | ast::FuncOption::ReturnsNullOnNullInputFuncOption(_)
            | ast::FuncOption::CalledOnNullInputFuncOption(_) => RoutineChange::Strict(attributes.strict),
            ast::FuncOption::SecurityDefinerFuncOption(_) | ast::FuncOption::SecurityInvokerFuncOption(_) => {
                RoutineChange::SecurityDefiner(attributes.security_definer)
            }
            ast::FuncOption::LeakproofFuncOption(_) | ast::FuncOption::NotLeakproofFuncOption(_) => {
                RoutineChange::Leakproof(attributes.leakproof)
            }
            ast::FuncOption::ParallelFuncOption(_) => RoutineChange::Parallel(attributes.parallel),
            ast::FuncOption::CostFuncOption(_) => RoutineChange::Cost(attributes.cost?),
            ast::FuncOption::RowsFuncOption(_) => RoutineChange::Rows(attributes.rows?),
            ast::FuncOption::SetFuncOption(it) => match attributes.settings.pop_first() {
                Some((name, values)) => RoutineChange::Set(name, values),
                None => RoutineChange::Reset(routines::setting_name(&it.set_config_param()?.config_parameter_ref()?)),
            },
            ast::FuncOption::ResetFuncOption(it) => match it.config_parameter_ref() {
                Some(name) => RoutineChange::Reset(routines::setting_name(&name)),
                None => RoutineChange::ResetAll,
            },
            _ => return None,
        })
    }
}
