//! One migration on the server: its text as its authors ran it, its operations as rendered, and the way back.

use super::{Down, DumpError, Migration, PgDump, Replayed, Summary};
use crate::Database;
use migrate_core::effects::TransactionNeed;
use migrate_core::lower;
use migrate_core::operation::{Operate, Operation};
use migrate_core::replay;
use migrate_core::schema::{Origin, Schema};
use migrate_core::step::{Action, Step};
use migrate_core::verdict::advance;
use similar::TextDiff;
use sqlx::{AssertSqlSafe, Executor, PgConnection};

/// Runs the text of a migration as a runner of plain SQL would: in one transaction, unless PostgreSQL refuses that.
///
/// # Errors
/// What the server said.
pub(super) async fn run_text(database: &Database, migration: &Migration) -> Result<(), sqlx::Error> {
    let statements = lower::parse(&migration.sql).unwrap_or_default();
    let outside = |operation: &Operation| match operation {
        Operation::Opaque(opaque) => opaque.outside_transaction || opaque.refusal.is_some(),
        operation => operation.effects(&Schema::default()).transaction == TransactionNeed::Outside,
    };
    let mut connection = database.connect().await;
    if statements.iter().flat_map(|statement| &statement.operations).any(outside) {
        for statement in statements {
            send(&mut connection, &statement.sql).await?;
        }
        return Ok(());
    }
    // an enum's new value may be used after the commit only: runners of plain SQL had it that way, too
    match send(&mut connection, &migration.sql).await {
        Err(error) if error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() == Some("55P04") => {
            for statement in statements {
                send(&mut connection, &statement.sql).await?;
            }
            Ok(())
        }
        result => result,
    }
}

async fn send(connection: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.map(drop)
}

/// Runs operations as the engine sends them: in as few transactions as there can be.
async fn run_operations<'a>(
    database: &Database,
    model: &mut Schema,
    operations: impl Iterator<Item = &'a Operation>,
) -> Result<(), String> {
    let mut connection = database.connect().await;
    let mut open = false;
    for operation in operations {
        let need = operation.effects(model).transaction;
        let mut statements = operation.render();
        if open && need == TransactionNeed::Outside {
            statements.insert(0, "commit".to_owned());
        } else if !open && need != TransactionNeed::Outside {
            statements.insert(0, "begin".to_owned());
        }
        open = need != TransactionNeed::Outside;
        if need == TransactionNeed::CommitBeforeUse {
            statements.push("commit".to_owned());
            open = false;
        }
        for sql in statements {
            send(&mut connection, &sql).await.map_err(|error| format!("`{sql}` does not run: {error}"))?;
        }
        operation.apply(model, &Origin::default());
    }
    if open { send(&mut connection, "commit").await.map_err(|error| format!("`commit`: {error}")) } else { Ok(()) }
}

/// A migration up and down on a copy of the database before it.
pub(super) struct Trial<'a> {
    pub(super) migration: &'a Migration,
    pub(super) replayed: &'a Replayed,
    pub(super) before: &'a Schema,
    pub(super) pg_dump: &'a PgDump,
    pub(super) scratch: &'a Database,
}

impl Trial<'_> {
    pub(super) async fn run(&self, before: &str, after: &str, summary: &mut Summary, tell: &mut impl FnMut(&str)) -> Result<(), DumpError> {
        if self.replayed.steps.is_empty() {
            return Ok(());
        }
        let name = &self.migration.name;
        let up = sent(&self.replayed.steps, self.before);
        let mut model = self.before.clone();
        let result = run_operations(self.scratch, &mut model, up.iter().filter_map(|&i| change(&self.replayed.steps[i]))).await;
        if let Err(error) = result {
            summary.rendered += 1;
            tell(&format!("{name}: as rendered: {error}"));
            return Ok(());
        }
        let rendered = self.pg_dump.dump(self.scratch)?;
        if rendered != after {
            summary.rendered += 1;
            tell(&format!("{name}: as rendered it does something else:\n{}", diff(after, &rendered)));
        }
        let down = self.down(before, self.replayed.is_typed(), tell).await?;
        summary.count_down(self.replayed, down);
        Ok(())
    }

    async fn down(&self, before: &str, typed: bool, tell: &mut impl FnMut(&str)) -> Result<Down, DumpError> {
        let name = &self.migration.name;
        let steps = if typed { self.replayed.steps.clone() } else { self.replayed.without_data() };
        let undos = match replay::derive_down(&steps, self.before) {
            Ok(undos) => undos,
            Err(irreversible) => return Ok(Down::None(irreversible.into_iter().map(|it| it.reason.reason).collect())),
        };
        let sent = sent(&steps, self.before);
        let operations = undos.iter().filter(|undo| sent.contains(&undo.step)).flat_map(|undo| &undo.operations);
        let mut model = self.before.clone();
        replay::replay(&mut steps.clone(), &mut model, "");
        if let Err(error) = run_operations(self.scratch, &mut model, operations).await {
            tell(&format!("{name}: down: {error}"));
            return Ok(Down::Fails);
        }
        let restored = self.pg_dump.dump(self.scratch)?;
        if restored == before {
            return Ok(Down::Restores);
        }
        tell(&format!("{name}: down restores something else:\n{}", diff(before, &restored)));
        Ok(Down::Differs)
    }
}

fn change(step: &Step) -> Option<&Operation> {
    match &step.action {
        Action::Change(operation) => Some(operation),
        _ => None,
    }
}

/// The steps that the engine would send: those that change something. What is there already, or gone already, has the
/// verdict `after`.
fn sent(steps: &[Step], before: &Schema) -> Vec<usize> {
    let mut model = before.clone();
    let mut sent = Vec::new();
    for (i, step) in steps.iter().enumerate() {
        let Some(operation) = change(step) else { continue };
        let before = model.clone();
        let changes = advance(&mut model, operation, &Origin::default());
        // a role may lack what nobody granted
        let revokes = matches!(operation, Operation::Revoke(_)) && before == model;
        if changes.is_empty() || (changes.iter().any(|change| change.before != change.after) && !revokes) {
            sent.push(i);
        }
    }
    sent
}

fn diff(expected: &str, found: &str) -> String {
    let diff = TextDiff::from_lines(expected, found).unified_diff().context_radius(1).to_string();
    diff.lines().flat_map(|line| ["    ", line, "\n"]).collect()
}
