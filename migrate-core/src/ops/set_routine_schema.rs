//! `alter function … set schema`, `alter procedure … set schema`, `alter routine … set schema`.
//!
//! - **SQL**: `alter function touch() set schema app`
//! - **Lock**: none on tables
//! - **Rewrites**: nothing; triggers follow
//! - **Transaction**: inside
//! - **Undo**: the way back
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER FUNCTION`

use super::rename_routine;
use crate::effects::Effects;
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, Operate};
use crate::ops::RoutineReference;
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Moves a function or procedure into another schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetRoutineSchema {
    /// The function or procedure.
    pub routine: RoutineReference,
    /// Its new schema.
    pub schema: Name,
}

impl SetRoutineSchema {
    fn target(&self) -> QualifiedName {
        QualifiedName { schema: self.schema.clone(), name: Name::written(self.routine.name.name.as_str(), self.schema.at) }
    }
}

impl Operate for SetRoutineSchema {
    fn describe(&self) -> String {
        format!("move {} `{}` to schema `{}`", self.routine.word(), self.routine, self.schema)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        super::schema_of(&self.target())
    }

    fn touches(&self) -> Vec<ObjectKey> {
        rename_routine::keys(&self.routine, &self.target())
    }

    fn bind(&mut self, schema: &Schema) {
        self.routine.bind(schema);
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        report.needs_schema(schema, &self.schema);
        rename_routine::check(&self.routine, &self.target(), schema, report);
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        rename_routine::apply(&self.routine, &self.target(), schema, origin);
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects { breaks_readers: true, ..Effects::default() }
    }

    fn inverse(&self, _before: &Schema) -> Inverse {
        Ok(vec![Self { routine: self.routine.renamed(&self.target()), schema: self.routine.name.schema.clone() }.into()])
    }

    fn render(&self) -> Vec<String> {
        vec![format!("alter {} set schema {}", self.routine.sql(), self.schema.quoted())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::SetRoutineSchema;
    use crate::lower::syntax;
    use crate::ops::RoutineReference;
    use squawk_syntax::ast;

    impl SetRoutineSchema {
        pub(crate) fn lower(routine: RoutineReference, action: &ast::SetSchema) -> Option<Self> {
            Some(Self { routine, schema: syntax::name(&action.schema_ref()?) })
        }
    }
}
