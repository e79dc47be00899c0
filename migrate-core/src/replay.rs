//! A migration as a whole: its text → steps, its replay on a schema, and what undoes it.

use crate::operation::{NoInverse, Operate, Operation};
use crate::report::Report;
use crate::schema::{Origin, Schema};
use crate::step::{Action, Step};

/// What undoes one step of a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undo {
    /// The index of the step that it undoes.
    pub step: usize,
    /// In the order in which they have to be run. Never empty.
    pub operations: Vec<Operation>,
}

/// A step that nothing undoes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Irreversible {
    /// The index of the step.
    pub step: usize,
    /// Why.
    pub reason: NoInverse,
}

/// Reads plain SQL into steps, one an operation. Positions count from the start of the text.
///
/// # Errors
/// All places at which the grammar doesn't accept the text.
#[cfg(feature = "parser")]
pub fn steps(sql: &str) -> Result<Vec<Step>, Vec<crate::lower::SyntaxProblem>> {
    let mut steps = Vec::new();
    for statement in crate::lower::parse(sql)? {
        let before = sql.get(..statement.at.range().start).unwrap_or_default();
        let line = u32::try_from(before.matches('\n').count() + 1).unwrap_or(u32::MAX);
        let goes_over = statement.goes_over;
        let step =
            |operation| Step { if_exists: statement.if_exists, goes_over: goes_over.clone(), ..Step::new(Action::Change(operation), line) };
        steps.extend(statement.operations.into_iter().map(step));
    }
    Ok(steps)
}

/// Replays `steps` on `schema`: names in them what is unnamed, and leaves `schema` as it is after them. The report holds
/// all that is wrong, in the order of the text where all steps come from one text.
pub fn replay(steps: &mut [Step], schema: &mut Schema, migration: &str) -> Report {
    let mut report = Report::default();
    for step in steps {
        let origin = step.origin(migration);
        step.replay(schema, &origin, &mut report);
    }
    report
}

/// What undoes `steps`, the last step first, given the schema before them. A step that changed nothing is left out.
///
/// # Errors
/// Every step that nothing undoes.
pub fn derive_down(steps: &[Step], before: &Schema) -> Result<Vec<Undo>, Vec<Irreversible>> {
    let mut schema = before.clone();
    let mut down = Vec::new();
    let mut irreversible = Vec::new();
    for (i, step) in steps.iter().enumerate() {
        let mut step = step.clone();
        match &mut step.action {
            Action::Change(operation) => {
                operation.bind(&schema);
                match operation.inverse(&schema) {
                    Ok(operations) if operations.is_empty() => {}
                    Ok(operations) => down.push(Undo { step: i, operations }),
                    Err(reason) => irreversible.push(Irreversible { step: i, reason }),
                }
            }
            Action::Run { function } => {
                let reason = NoInverse::because(format!("nobody knows what undoes the function `{function}`"));
                irreversible.push(Irreversible { step: i, reason });
            }
            Action::Declare { .. } | Action::Assert { .. } => {}
        }
        step.replay(&mut schema, &Origin::default(), &mut Report::default());
    }
    down.reverse();
    if irreversible.is_empty() { Ok(down) } else { Err(irreversible) }
}

#[cfg(all(test, feature = "parser"))]
mod tests {
    use super::*;

    #[test]
    fn steps_know_their_line() {
        let steps = steps("-- first\ncreate table a (id int);\n\nalter table a add column b int,\n  add column c int;").unwrap();
        assert_eq!(steps.iter().map(|step| step.line).collect::<Vec<_>>(), [2, 4, 4]);
    }

    #[test]
    fn nothing_before_a_semicolon_is_no_step() {
        assert_eq!(steps(";; create table a (id int);;").unwrap().len(), 1);
    }

    #[test]
    fn down_is_the_way_back_in_reverse_order() {
        let mut up = steps("create table a (id int); alter table a add column b int").unwrap();
        let mut schema = Schema::default();
        assert!(replay(&mut up, &mut schema, "m").is_empty());
        let down = derive_down(&up, &Schema::default()).unwrap();
        assert_eq!(down.iter().map(|undo| undo.step).collect::<Vec<_>>(), [1, 0]);
        let sql: Vec<_> = down.iter().flat_map(|undo| &undo.operations).flat_map(Operation::render).collect();
        assert_eq!(sql, ["alter table public.a drop column b", "drop table public.a"]);
    }

    #[test]
    fn every_step_without_an_inverse_is_named() {
        let mut up = steps("vacuum; create table a (id int); vacuum").unwrap();
        up.push(Step::new(Action::Run { function: "backfill".to_owned() }, 9));
        let irreversible = derive_down(&up, &Schema::default()).unwrap_err();
        assert_eq!(irreversible.iter().map(|it| it.step).collect::<Vec<_>>(), [0, 2, 3]);
    }
}
