//! `create function`, `create procedure`.
//!
//! - **SQL**: `create or replace function touch() returns trigger language plpgsql as $$begin return new; end$$`
//! - **Lock**: none on tables
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: `drop function`; of `or replace` the previous definition
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `CREATE FUNCTION`, `CREATE PROCEDURE`

use crate::effects::Effects;
use crate::name::QualifiedName;
use crate::operation::{Inverse, NoInverse, Operate, Operation};
use crate::ops::{CommentOn, DropRoutine, RoutineReference};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Routine, Schema, Signature};
use serde::{Deserialize, Serialize};

/// Creates or replaces a function or procedure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateRoutine {
    /// Its name.
    pub name: QualifiedName,
    /// Its definition.
    pub routine: Routine,
    /// `or replace`.
    #[serde(default)]
    pub or_replace: bool,
}

impl CreateRoutine {
    /// What creates `routine` as it is, its comment not included.
    #[must_use]
    pub fn of(name: &QualifiedName, routine: &Routine) -> Self {
        Self { name: name.clone(), routine: routine.clone(), or_replace: false }
    }

    /// What it is known by.
    #[must_use]
    pub fn signature(&self) -> Signature {
        self.routine.signature(&self.name)
    }
}

impl Operate for CreateRoutine {
    fn describe(&self) -> String {
        let verb = if self.or_replace { "create or replace" } else { "create" };
        format!("{verb} {} `{}`", self.routine.kind.sql(), self.signature())
    }

    fn requires(&self) -> Vec<ObjectKey> {
        super::schema_of(&self.name)
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Routine(self.signature())]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        report.check_length([&self.name.name]);
        report.needs_schema(schema, &self.name.schema);
        report.check_routine(schema, &self.routine);
        let signature = self.signature();
        match schema.routines.get(&signature) {
            Some(replaced) if self.or_replace => report.check_replaced_routine(schema, &signature, self.name.at(), replaced, &self.routine),
            Some(existing) => report.routine_is_not_replaced(schema, &signature, self.name.at(), existing.kind),
            None => {}
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        let signature = self.signature();
        let (comment, unmodelled) =
            schema.routines.get(&signature).map(|routine| (routine.comment.clone(), routine.unmodelled.clone())).unwrap_or_default();
        let routine = Routine { comment, unmodelled, origin: origin.clone(), ..self.routine.clone() };
        schema.routines.insert(signature, routine);
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects::default()
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        let signature = self.signature();
        let drop = DropRoutine::new(RoutineReference::to(self.routine.kind, &signature));
        let Some(replaced) = before.routines.get(&signature) else { return Ok(vec![drop.into()]) };
        if can_replace(&self.routine, replaced) {
            return Ok(vec![Self { or_replace: true, ..Self::of(&self.name, replaced) }.into()]);
        }
        if let Some(what) = replaced.unmodelled.first() {
            return Err(NoInverse::because(format!("the old `{signature}` can only be created anew, without {what}")));
        }
        Ok(std::iter::once(drop.into()).chain(recreate(&self.name, replaced)).collect())
    }

    fn render(&self) -> Vec<String> {
        let verb = if self.or_replace { "create or replace" } else { "create" };
        vec![format!("{verb} {} {}", self.routine.kind.sql(), self.routine.sql(&self.name))]
    }
}

/// Whether `create or replace` makes `replacement` out of `routine`: names and defaults of arguments can be added, not taken
/// away.
pub(crate) fn can_replace(routine: &Routine, replacement: &Routine) -> bool {
    routine.kind == replacement.kind
        && routine.returns == replacement.returns
        && routine.arguments.len() == replacement.arguments.len()
        && routine.arguments.iter().zip(&replacement.arguments).all(|(before, after)| {
            let named = before.name.is_none() || before.name == after.name;
            before.mode == after.mode && named && (before.default.is_none() || after.default.is_some())
        })
}

/// The operations that create `routine` as it is, with its comment.
pub(super) fn recreate(name: &QualifiedName, routine: &Routine) -> impl Iterator<Item = Operation> + use<> {
    let comment = CommentOn::restore(ObjectKey::Routine(routine.signature(name)), routine.comment.as_ref());
    std::iter::once(CreateRoutine::of(name, routine).into()).chain(comment)
}

#[cfg(feature = "parser")]
mod lower {
    use super::CreateRoutine;
    use crate::lower::{routines, syntax};
    use crate::name::Name;
    use crate::schema::{Argument, Returns, Routine, RoutineBody, RoutineKind};
    use squawk_syntax::ast;
    use std::collections::BTreeSet;

    impl CreateRoutine {
        pub(crate) fn lower_function(statement: &ast::CreateFunction) -> Option<Self> {
            let arguments = routines::arguments(&statement.param_list()?)?;
            let returns = routines::returns(statement.ret_type(), &arguments)?;
            let (name, or_replace) = (statement.name()?.path()?, statement.or_replace().is_some());
            let body = statement.body();
            lower(RoutineKind::Function, &name, or_replace, arguments, returns, statement.option_list(), body.as_ref())
        }

        pub(crate) fn lower_procedure(statement: &ast::CreateProcedure) -> Option<Self> {
            let arguments = routines::arguments(&statement.param_list()?)?;
            let (name, or_replace) = (statement.name()?.path()?, statement.or_replace().is_some());
            let body = statement.body();
            lower(RoutineKind::Procedure, &name, or_replace, arguments, Returns::Nothing, statement.option_list(), body.as_ref())
        }
    }

    fn lower(
        kind: RoutineKind,
        name: &ast::Path,
        or_replace: bool,
        arguments: Vec<Argument>,
        returns: Returns,
        options: Option<ast::FuncOptionList>,
        sql: Option<&ast::RoutineBody>,
    ) -> Option<CreateRoutine> {
        let options = routines::options(options)?;
        let body = options.body.or_else(|| sql.map(routines::sql_body))?;
        let language = match options.language {
            Some(language) => language,
            // only a body in SQL needs none
            None => matches!(body, RoutineBody::Sql(_)).then(|| Name::new("sql"))?,
        };
        let mut attributes = options.attributes;
        let compiled = language == *"c" || language == *"internal";
        attributes.cost = attributes.cost.filter(|cost| *cost != if compiled { "1" } else { "100" });
        attributes.rows = attributes.rows.filter(|rows| rows != "1000");
        let (unmodelled, comment, origin) = (BTreeSet::new(), None, crate::schema::Origin::default());
        let routine = Routine { kind, arguments, returns, language, body, attributes, unmodelled, comment, origin };
        Some(CreateRoutine { name: syntax::path(name)?, routine, or_replace })
    }
}
