//! `alter function … rename to`, `alter procedure … rename to`, `alter routine … rename to`.
//!
//! - **SQL**: `alter function touch() rename to touch_updated_at`
//! - **Lock**: none on tables
//! - **Rewrites**: nothing; triggers follow
//! - **Transaction**: inside
//! - **Undo**: the reverse rename
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER FUNCTION`

use crate::effects::Effects;
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, Operate};
use crate::ops::RoutineReference;
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema, Signature};
use serde::{Deserialize, Serialize};

/// Renames a function or procedure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenameRoutine {
    /// The function or procedure.
    pub routine: RoutineReference,
    /// Its new name, in the same schema.
    pub to: Name,
}

impl RenameRoutine {
    fn target(&self) -> QualifiedName {
        self.routine.name.sibling(self.to.clone())
    }
}

impl Operate for RenameRoutine {
    fn describe(&self) -> String {
        format!("rename {} `{}` to `{}`", self.routine.word(), self.routine, self.to)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        Vec::new()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        keys(&self.routine, &self.target())
    }

    fn bind(&mut self, schema: &Schema) {
        self.routine.bind(schema);
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        report.check_length([&self.to]);
        check(&self.routine, &self.target(), schema, report);
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        apply(&self.routine, &self.target(), schema, origin);
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects { breaks_readers: true, ..Effects::default() }
    }

    fn inverse(&self, _before: &Schema) -> Inverse {
        Ok(vec![Self { routine: self.routine.renamed(&self.target()), to: self.routine.name.name.clone() }.into()])
    }

    fn render(&self) -> Vec<String> {
        vec![format!("alter {} rename to {}", self.routine.sql(), self.to.quoted())]
    }
}

/// The routine before and after it gets another name or schema.
pub(super) fn keys(routine: &RoutineReference, to: &QualifiedName) -> Vec<ObjectKey> {
    routine.key().into_iter().chain(routine.renamed(to).key()).collect()
}

/// Reports an unknown routine, and a new name that is taken.
pub(super) fn check(routine: &RoutineReference, to: &QualifiedName, schema: &Schema, report: &mut Report) {
    let Some((signature, _)) = routine.check(schema, report) else {
        routine.renamed(to).key().into_iter().for_each(|key| report.forgive(key));
        return;
    };
    let target = Signature { name: to.clone(), ..signature.clone() };
    if let Some(existing) = schema.routines.get(&target).filter(|_| target != *signature) {
        report.routine_exists(schema, &target, to.at(), existing.kind);
    }
}

/// Moves the routine.
pub(super) fn apply(routine: &RoutineReference, to: &QualifiedName, schema: &mut Schema, origin: &Origin) {
    let Some((signature, _)) = routine.find(schema) else { return };
    let signature = signature.clone();
    if schema.move_routine(&signature, to) {
        let target = Signature { name: to.clone(), ..signature.clone() };
        schema.record_departure(ObjectKey::Routine(signature), Some(target.to_string()), origin);
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::RenameRoutine;
    use crate::lower::syntax;
    use crate::ops::RoutineReference;
    use squawk_syntax::ast;

    impl RenameRoutine {
        pub(crate) fn lower(routine: RoutineReference, to: &ast::Path) -> Option<Self> {
            Some(Self { routine, to: syntax::path(to)?.name })
        }
    }
}
