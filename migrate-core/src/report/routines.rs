//! Messages on functions and procedures.

use super::columns::named;
use super::{Report, nearest_of};
use crate::name::{At, Name, QualifiedName};
use crate::ops::RoutineReference;
use crate::schema::{ArgumentMode, ObjectKey, Origin, Returns, Routine, RoutineKind, Schema, Signature};

impl Report {
    /// Reports a function that a statement names and that is certainly not there: it was dropped, it takes something else, or
    /// its name is all but that of another one. Any other function may be an extension's.
    pub fn unknown_routine(&mut self, schema: &Schema, reference: &RoutineReference) {
        if reference.key().is_some_and(|key| self.forgiven.contains(&key)) || self.ambiguous_routine(schema, reference) {
            return;
        }
        let at = reference.name.at();
        let message = format!("no {} `{reference}`", reference.word());
        let departed = schema.departed.values().rev().find_map(|(key, departure)| match key {
            ObjectKey::Routine(signature) => {
                let same = signature.name == reference.name && reference.arguments.as_ref().is_none_or(|it| *it == signature.arguments);
                same.then_some(departure)
            }
            _ => None,
        });
        if let Some(departure) = departed {
            let place = departure.origin.place().map(|place| format!(" by {place}")).unwrap_or_default();
            let problem = self.problem(at, message);
            match &departure.renamed_to {
                Some(name) => {
                    problem.notes.push(format!("renamed to `{name}`{place}"));
                    problem.help = Some(format!("write `{name}`"));
                }
                None => problem.notes.push(format!("dropped{place}")),
            }
            return;
        }
        if schema.other_routines.contains(&reference.name) {
            return;
        }
        let called: Vec<_> = schema.routines_called(&reference.name).map(|(signature, _)| signature.to_string()).collect();
        match nearest_of(&reference.to_string(), called.iter().map(String::as_str)).or(called.first().map(String::as_str)) {
            Some(other) => self.problem(at, message).help = Some(format!("did you mean `{other}`?")),
            None => {
                if let Some(other) = near_miss(schema, &reference.name) {
                    self.problem(at, message).help = Some(format!("did you mean `{other}`?"));
                }
            }
        }
    }

    /// Reports a name without arguments that several functions have. The answer says whether it is one.
    pub fn ambiguous_routine(&mut self, schema: &Schema, reference: &RoutineReference) -> bool {
        let called: Vec<_> = schema.routines_called(&reference.name).map(|(signature, _)| format!("`{signature}`")).collect();
        let ambiguous = reference.arguments.is_none() && called.len() > 1;
        if ambiguous {
            self.problem(reference.name.at(), format!("there are several functions `{}`", reference.name)).help =
                Some(format!("say which one: {}", called.join(", ")));
        }
        ambiguous
    }

    /// A function is there, where a procedure is meant, or the other way round.
    pub fn other_kind_of_routine(&mut self, at: At, signature: &Signature, kind: RoutineKind) {
        self.problem(at, format!("`{signature}` is a {}", kind.sql())).help = Some(format!("write `{}`", kind.sql()));
    }

    /// A new function is there already.
    pub fn routine_is_not_replaced(&mut self, schema: &Schema, signature: &Signature, at: At, kind: RoutineKind) {
        self.routine_exists(schema, signature, at, kind);
        if let Some(problem) = self.problems.last_mut() {
            problem.help = Some("write `create or replace`, if it is to be replaced".to_owned());
        }
    }

    /// A function of that name takes the same arguments.
    pub fn routine_exists(&mut self, schema: &Schema, signature: &Signature, at: At, kind: RoutineKind) {
        let origin = schema.origin_of(&ObjectKey::Routine(signature.clone())).and_then(Origin::place);
        let problem = self.problem(at, format!("{} `{signature}` exists already", kind.sql()));
        problem.notes.extend(origin.map(|place| format!("created by {place}")));
    }

    /// Triggers execute the function that is dropped without `cascade`.
    pub fn executed_by_triggers(&mut self, at: At, function: &Signature, triggers: &[(QualifiedName, Name)]) {
        let Some(((relation, trigger), further)) = triggers.split_first() else { return };
        let problem = self.problem(at, format!("trigger `{trigger}` on `{relation}` executes function `{function}`"));
        problem.notes.extend(further.iter().map(|(relation, trigger)| format!("trigger `{trigger}` on `{relation}` executes it, too")));
        problem.help = Some("drop the trigger first, or write `cascade` to drop it, too".to_owned());
    }

    /// Expressions call the function that is dropped without `cascade`.
    pub fn called_by(&mut self, at: At, signature: &Signature, kind: RoutineKind, callers: &[ObjectKey]) {
        let Some((first, further)) = callers.split_first() else { return };
        let problem = self.problem(at, format!("{} calls {} `{signature}`", named(first), kind.sql()));
        problem.notes.extend(further.iter().map(|caller| format!("{} calls it, too", named(caller))));
        problem.help = Some("change or drop that first, or write `cascade` to drop it, too".to_owned());
    }

    /// Functions take or return what is dropped without `cascade`.
    pub fn used_by_routines(&mut self, at: At, what: &str, routines: &[Signature]) {
        let Some((first, further)) = routines.split_first() else { return };
        let problem = self.problem(at, format!("function `{first}` depends on {what}"));
        problem.notes.extend(further.iter().map(|function| format!("function `{function}` depends on it, too")));
        problem.help = Some("drop the function first, or write `cascade` to drop it, too".to_owned());
    }

    /// Reports a function that can't be executed by a trigger: one that was dropped, or that returns something else.
    pub fn needs_trigger_function(&mut self, schema: &Schema, name: &QualifiedName) {
        let signature = Signature { name: name.clone(), arguments: Vec::new() };
        match schema.routines.get(&signature) {
            Some(function) => {
                let returns = function.returns.sql().unwrap_or_else(|| "nothing".to_owned());
                if function.kind == RoutineKind::Procedure {
                    self.problem(name.at(), format!("`{signature}` is a procedure, which no trigger executes"));
                } else if returns != "trigger" {
                    let returns = returns.strip_prefix("public.").unwrap_or(&returns);
                    self.problem(name.at(), format!("function `{signature}` returns `{returns}`, not `trigger`")).help =
                        Some("execute a function that returns `trigger`".to_owned());
                }
            }
            None => self.unknown_routine(schema, &RoutineReference::to(RoutineKind::Function, &signature)),
        }
    }

    /// Reports what PostgreSQL refuses in a function, whatever there was before.
    pub fn check_routine(&mut self, schema: &Schema, routine: &Routine) {
        // a function in C may be the one that makes its type what it is
        if routine.language != *"c" && routine.language != *"internal" {
            for data_type in routine.types().filter(|it| it.named().is_some_and(|name| schema.relation_kind(name).is_none())) {
                self.needs_type(schema, data_type);
            }
        }
        let named = |chosen: fn(ArgumentMode) -> bool| {
            routine.arguments.iter().filter(move |argument| chosen(argument.mode)).filter_map(|argument| argument.name.as_ref())
        };
        let columns: Vec<&Name> = match &routine.returns {
            Returns::Table(columns) => columns.iter().map(|(name, _)| name).collect(),
            _ => Vec::new(),
        };
        self.check_length(routine.arguments.iter().filter_map(|argument| argument.name.as_ref()).chain(columns.iter().copied()));
        self.names_differ(named(ArgumentMode::is_input).chain(columns.iter().copied()).collect());
        self.names_differ(named(ArgumentMode::is_output).chain(columns).collect());
        let inputs = routine.arguments.iter().filter(|argument| argument.mode.is_input());
        let mut defaults = inputs.skip_while(|argument| argument.default.is_none());
        if let Some(argument) = defaults.find(|argument| argument.default.is_none()) {
            let at = argument.name.as_ref().or(argument.data_type.written.as_ref()).map(|name| name.at).unwrap_or_default();
            self.problem(at, "an argument behind one with a default needs a default, too");
        }
    }

    fn names_differ(&mut self, names: Vec<&Name>) {
        for (i, name) in names.iter().enumerate() {
            let told = self.problems.iter().any(|problem| problem.at == (name.at.start, name.at.end));
            if names[..i].contains(name) && !told {
                self.problem(name.at, format!("two arguments are called `{name}`"));
            }
        }
    }

    /// Reports what `create or replace` can't change.
    pub fn check_replaced_routine(&mut self, schema: &Schema, signature: &Signature, at: At, before: &Routine, after: &Routine) {
        let place = schema.origin_of(&ObjectKey::Routine(signature.clone())).and_then(Origin::place);
        let kind = before.kind.sql();
        let mut problem = |at: At, message: String| {
            let problem = self.problem(at, message);
            problem.notes.extend(place.iter().map(|place| format!("created by {place}")));
            problem.help = Some(format!("drop it first: `drop {kind} {signature}`"));
        };
        if before.kind != after.kind {
            return problem(at, format!("`{signature}` is a {kind}, which can't become a {}", after.kind.sql()));
        }
        if result(before) != result(after) {
            let written = after.returns.types().first().and_then(|data_type| data_type.written.as_ref()).map(|name| name.at);
            let was = before.returns.sql().map_or_else(|| "its `out` arguments".to_owned(), |returns| format!("`{returns}`"));
            let message = format!("function `{signature}` returns {}, which can't change", was.replace("public.", ""));
            return problem(written.unwrap_or(at), message);
        }
        let inputs = |routine: &Routine| routine.arguments.clone().into_iter().filter(|argument| argument.mode.is_input());
        for (old, new) in inputs(before).zip(inputs(after)) {
            let written = new.name.as_ref().or(new.data_type.written.as_ref()).map_or(at, |name| name.at);
            if let Some(name) = old.name.as_ref().filter(|name| new.name.as_ref() != Some(*name)) {
                problem(written, format!("the argument `{name}` of {kind} `{signature}` can't get another name"));
            } else if old.default.is_some() && new.default.is_none() {
                problem(written, format!("an argument of {kind} `{signature}` can't lose its default"));
            }
        }
    }
}

/// What decides whether a result is the same.
fn result(routine: &Routine) -> (Option<String>, Vec<String>) {
    let outputs = routine.arguments.iter().filter(|argument| argument.mode.is_output());
    let of_procedure = routine.kind == RoutineKind::Procedure;
    let names = outputs
        .filter(|_| !of_procedure)
        .map(|argument| format!("{} {}", argument.name.as_ref().map(ToString::to_string).unwrap_or_default(), argument.data_type.sql()));
    (routine.returns.sql(), names.collect())
}

/// A known function whose name is so like the one that was written that this must be a slip. Names that differ in a number
/// or in a last letter of its own, as in `count_a` and `count_b`, are of different functions.
fn near_miss(schema: &Schema, name: &QualifiedName) -> Option<String> {
    let letters = |text: &str| {
        let stem = text.rsplit_once('_').filter(|(_, last)| last.len() == 1).map_or(text, |(stem, _)| stem);
        stem.chars().filter(|c| !c.is_ascii_digit()).collect::<String>()
    };
    let written = name.to_string();
    let near = |candidate: &&Signature| {
        let candidate = candidate.name.to_string();
        let distance = strsim::damerau_levenshtein(&written, &candidate);
        distance <= 2 && written.len() >= 6 && letters(&written) != letters(&candidate)
    };
    schema.routines.keys().find(near).map(ToString::to_string)
}
