//! How statements other than `create` name a function or procedure.

use crate::name::QualifiedName;
use crate::operation::NoInverse;
use crate::report::Report;
use crate::schema::{ObjectKey, Routine, RoutineKind, Schema, Signature};
use serde::{Deserialize, Serialize};

/// A function or procedure, as a statement names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoutineReference {
    /// `function`, `procedure`; `None`: `routine`.
    pub kind: Option<RoutineKind>,
    /// Its name.
    pub name: QualifiedName,
    /// The types of what is passed to it; `None`, where no list is written: the only one of that name is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Vec<String>>,
    /// The types of all its arguments, as some write them for a procedure. Only where no argument has a mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all_arguments: Option<Vec<String>>,
    /// What it is known by; once bound, `None` where nobody knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
}

impl RoutineReference {
    /// The routine of this signature.
    #[must_use]
    pub fn to(kind: RoutineKind, signature: &Signature) -> Self {
        let arguments = Some(signature.arguments.clone());
        Self { kind: Some(kind), name: signature.name.clone(), arguments, all_arguments: None, signature: Some(signature.clone()) }
    }

    /// The same routine under another name.
    #[must_use]
    pub fn renamed(&self, to: &QualifiedName) -> Self {
        let signature = self.signature.as_ref().map(|signature| Signature { name: to.clone(), ..signature.clone() });
        Self { name: to.clone(), signature, ..self.clone() }
    }

    /// The routine that is meant.
    #[must_use]
    pub fn find<'a>(&self, schema: &'a Schema) -> Option<(&'a Signature, &'a Routine)> {
        let mut called = schema.routines_called(&self.name);
        match &self.arguments {
            Some(arguments) => schema.routines_called(&self.name).find(|(signature, _)| signature.arguments == *arguments).or_else(|| {
                let all = self.all_arguments.as_ref()?;
                called.find(|(_, routine)| {
                    routine.kind == RoutineKind::Procedure
                        && routine.arguments.iter().map(|argument| argument.data_type.sql()).eq(all.iter().cloned())
                })
            }),
            None => called.next().filter(|_| called.next().is_none()),
        }
    }

    /// Looks for the routine that is meant.
    pub fn bind(&mut self, schema: &Schema) {
        self.signature = self.find(schema).map(|(signature, _)| signature.clone());
        if let Some(signature) = &self.signature {
            // however it was written
            (self.arguments, self.all_arguments) = (Some(signature.arguments.clone()), None);
        }
    }

    /// The routine, if somebody knows it.
    #[must_use]
    pub fn key(&self) -> Option<ObjectKey> {
        self.signature.clone().map(ObjectKey::Routine)
    }

    /// Says why a routine that nobody knows can't be brought back.
    #[must_use]
    pub fn unknown(&self) -> NoInverse {
        NoInverse::because(format!("nothing is known of {} `{self}`", self.word()))
    }

    /// Reports what is certainly no routine. The answer is the one that is meant, if somebody knows it.
    pub fn check<'a>(&self, schema: &'a Schema, report: &mut Report) -> Option<(&'a Signature, &'a Routine)> {
        let found = self.find(schema);
        match found {
            Some((signature, routine)) => {
                if self.kind.is_some_and(|kind| kind != routine.kind) {
                    report.other_kind_of_routine(self.name.at(), signature, routine.kind);
                }
            }
            None => report.unknown_routine(schema, self),
        }
        found
    }

    /// `function`, `procedure`, `routine`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        self.kind.map_or("routine", RoutineKind::sql)
    }

    /// `function public.f(text)`.
    #[must_use]
    pub fn sql(&self) -> String {
        let written = self.arguments.as_ref().map(|arguments| format!("{}({})", self.name.quoted(), arguments.join(", ")));
        let signature = self.signature.as_ref().map(Signature::sql).or(written).unwrap_or_else(|| self.name.quoted());
        format!("{} {signature}", self.word())
    }
}

/// As a person reads it.
impl std::fmt::Display for RoutineReference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.signature, &self.arguments) {
            (Some(signature), _) => write!(f, "{signature}"),
            (None, Some(arguments)) => write!(f, "{}", Signature { name: self.name.clone(), arguments: arguments.clone() }),
            (None, None) => write!(f, "{}", self.name),
        }
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::RoutineReference;
    use crate::lower::{routines, syntax};
    use crate::schema::{RoutineKind, Signature};
    use squawk_syntax::ast;

    impl RoutineReference {
        pub(crate) fn lower_function(signature: &ast::FunctionSig) -> Option<Self> {
            lower(Some(RoutineKind::Function), &signature.function_name_ref()?.path_ref()?, signature.param_list())
        }

        pub(crate) fn lower_procedure(signature: &ast::ProcedureSig) -> Option<Self> {
            lower(Some(RoutineKind::Procedure), &signature.procedure_name_ref()?.path_ref()?, signature.param_list())
        }

        pub(crate) fn lower_routine(signature: &ast::RoutineSig) -> Option<Self> {
            lower(None, &signature.routine_name_ref()?.path_ref()?, signature.param_list())
        }
    }

    fn lower(kind: Option<RoutineKind>, name: &ast::PathRef, list: Option<ast::ParamList>) -> Option<RoutineReference> {
        let name = syntax::path_ref(name)?;
        let Some(list) = list else { return Some(RoutineReference { kind, name, arguments: None, all_arguments: None, signature: None }) };
        let parameters = routines::arguments(&list)?;
        let types = |inputs: bool| -> Vec<String> {
            let chosen = parameters.iter().filter(|parameter| !inputs || parameter.mode.is_input());
            chosen.map(|parameter| parameter.data_type.sql()).collect()
        };
        let without_modes = list.params().all(|parameter| parameter.mode().is_none());
        let (arguments, all) = (types(true), without_modes.then(|| types(false)));
        let signature = Some(Signature { name: name.clone(), arguments: arguments.clone() });
        Some(RoutineReference { kind, name, arguments: Some(arguments), all_arguments: all, signature })
    }
}
