//! `drop function`, `drop procedure`, `drop routine`.
//!
//! - **SQL**: `drop function touch()`
//! - **Lock**: none on tables, but what falls by `cascade`
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: `create function` as it was, and what fell with it
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `DROP FUNCTION`, `DROP PROCEDURE`, `DROP ROUTINE`

use crate::effects::Effects;
use crate::operation::{Inverse, NoInverse, Operate, Operation};
use crate::ops::{RoutineReference, cascade, create_routine};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Drops a function or procedure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropRoutine {
    /// The function or procedure.
    pub routine: RoutineReference,
    /// `cascade`: the triggers that execute it and what calls it fall with it.
    #[serde(default)]
    pub cascade: bool,
    /// `if exists`.
    #[serde(default)]
    pub if_exists: bool,
}

impl DropRoutine {
    /// Drops the routine, and nothing else.
    #[must_use]
    pub fn new(routine: RoutineReference) -> Self {
        Self { routine, cascade: false, if_exists: false }
    }

    /// What `cascade` drops before it.
    fn before_it(&self, schema: &Schema) -> Vec<Operation> {
        let Some((signature, _)) = self.routine.find(schema).filter(|_| self.cascade) else { return Vec::new() };
        cascade::of_routine(schema, signature)
    }
}

impl Operate for DropRoutine {
    fn describe(&self) -> String {
        format!("drop {} `{}`", self.routine.word(), self.routine)
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
        if self.if_exists && self.routine.find(schema).is_none() {
            report.ambiguous_routine(schema, &self.routine);
            return;
        }
        if let Some((signature, routine)) = self.routine.check(schema, report).filter(|_| !self.cascade) {
            let at = self.routine.name.at();
            report.executed_by_triggers(at, signature, &schema.triggers_executing(signature));
            report.called_by(at, signature, routine.kind, &schema.callers_of(signature));
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        let Some((signature, _)) = self.routine.find(schema) else { return };
        let signature = signature.clone();
        cascade::apply(&self.before_it(schema), schema, origin);
        schema.routines.remove(&signature);
        schema.record_departure(ObjectKey::Routine(signature), None, origin);
    }

    fn effects(&self, schema: &Schema) -> Effects {
        let own = Effects { breaks_readers: true, ..Effects::default() };
        cascade::and_locks(own, &self.before_it(schema), schema)
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        let Some((signature, routine)) = self.routine.find(before) else {
            return if self.if_exists { Ok(Vec::new()) } else { Err(self.routine.unknown()) };
        };
        if let Some(what) = routine.unmodelled.first() {
            return Err(NoInverse::because(format!("{what} falls with `{signature}`, and the model can't bring it back")));
        }
        if self.cascade && before.may_be_called(signature) {
            return Err(NoInverse::because(format!("nobody knows what falls with `{signature}`, as other functions have its name")));
        }
        let create = create_routine::recreate(&signature.name, routine).collect();
        cascade::undo(&self.before_it(before), before, |_| Ok(create))
    }

    fn render(&self) -> Vec<String> {
        let if_exists = if self.if_exists && self.routine.signature.is_none() { "if exists " } else { "" };
        let reference = self.routine.sql();
        let (word, name) = reference.split_once(' ').unwrap_or((self.routine.word(), ""));
        vec![format!("drop {word} {if_exists}{name}{}", if self.cascade { " cascade" } else { "" })]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::DropRoutine;
    use crate::operation::Operation;
    use crate::ops::RoutineReference;
    use squawk_syntax::ast;

    impl DropRoutine {
        /// One operation a function.
        pub(crate) fn lower_functions(statement: &ast::DropFunction) -> Option<Vec<Operation>> {
            let list = statement.function_sig_list()?;
            let routines = list.function_sigs().map(|signature| RoutineReference::lower_function(&signature));
            each(routines, statement.drop_behavior(), statement.if_exists().is_some())
        }

        pub(crate) fn lower_procedures(statement: &ast::DropProcedure) -> Option<Vec<Operation>> {
            let list = statement.procedure_sig_list()?;
            let routines = list.procedure_sigs().map(|signature| RoutineReference::lower_procedure(&signature));
            each(routines, statement.drop_behavior(), statement.if_exists().is_some())
        }

        pub(crate) fn lower_routines(statement: &ast::DropRoutine) -> Option<Vec<Operation>> {
            let list = statement.routine_sig_list()?;
            let routines = list.routine_sigs().map(|signature| RoutineReference::lower_routine(&signature));
            each(routines, statement.drop_behavior(), statement.if_exists().is_some())
        }
    }

    fn each(
        routines: impl Iterator<Item = Option<RoutineReference>>,
        behavior: Option<ast::DropBehavior>,
        if_exists: bool,
    ) -> Option<Vec<Operation>> {
        let cascade = matches!(behavior, Some(ast::DropBehavior::Cascade(_)));
        routines.map(|routine| Some(DropRoutine { routine: routine?, cascade, if_exists }.into())).collect()
    }
}
