//! A project's whole history of SQL migrations, put through the model and through a server side by side.
//!
//! Of each migration is told what the model finds wrong with it, where the model and the server's catalog disagree after
//! it, whether its operations as rendered do what its text does, and whether the derived `down` brings the schema back.

mod dump;
mod files;
mod findings;
mod model;
mod summary;
mod trial;

pub use dump::{DumpError, PgDump};
pub use files::Migration;
pub use findings::Finding;
pub use model::Replayed;
pub use summary::{Down, Downs, Summary};

use crate::{Database, Server, comparison};
use migrate_core::schema::Schema;
use migrate_runtime::postgres::catalog;
use std::collections::BTreeSet;
use trial::Trial;

/// Replays the migrations in the model alone.
pub fn replay(migrations: &[Migration], mut tell: impl FnMut(&str)) -> Summary {
    let mut schema = Schema::default();
    let mut summary = Summary::default();
    for migration in migrations {
        let replayed = Replayed::of(migration, &mut schema);
        summary.count(&replayed);
        replayed.problems.iter().for_each(|problem| tell(problem));
    }
    summary
}

/// Replays the migrations in the model alone, and tells what the lints find in each.
pub fn lint(migrations: &[Migration], mut tell: impl FnMut(&str)) -> Summary {
    let mut schema = Schema::default();
    let mut summary = Summary::default();
    for migration in migrations {
        let before = schema.clone();
        let replayed = Replayed::of(migration, &mut schema);
        summary.count(&replayed);
        for finding in findings::of(migration, &replayed, &before, &schema) {
            *summary.findings.entry(finding.lint).or_default() += 1;
            tell(&finding.text);
        }
    }
    summary
}

/// Replays the migrations in the model and on a new database of `server`.
///
/// # Errors
/// Where `pg_dump` fails.
///
/// # Panics
/// Where the server can't be reached any more.
pub async fn run(migrations: &[Migration], server: &Server, mut tell: impl FnMut(&str)) -> Result<Summary, DumpError> {
    let pg_dump = PgDump::find()?;
    let database = Database::create(server).await;
    let mut schema = Schema::default();
    let mut summary = Summary::default();
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut dump = pg_dump.dump(&database)?;
    for migration in migrations {
        let before = schema.clone();
        let replayed = Replayed::of(migration, &mut schema);
        summary.count(&replayed);
        replayed.problems.iter().for_each(|problem| tell(problem));

        let scratch = database.copy(server).await;
        if let Err(error) = trial::run_text(&database, migration).await {
            summary.refused += 1;
            tell(&format!("{}: the server refuses it: {error}", migration.name));
        }
        let after = pg_dump.dump(&database)?;

        let mut connection = database.connect().await;
        let live = catalog::snapshot(&mut connection).await;
        let compared = match live {
            Ok(live) => comparison::compare(&schema, &live, &mut connection).await,
            Err(error) => Err(error),
        };
        drop(connection);
        let found: BTreeSet<String> = match compared {
            Ok(compared) => compared.differences.into_iter().collect(),
            Err(error) => BTreeSet::from([format!("the catalog can't be read: {error}")]),
        };
        for difference in found.difference(&known) {
            summary.differences += 1;
            tell(&format!("{}: the catalog differs from the model: {difference}", migration.name));
        }
        known = found;

        let trial = Trial { migration, replayed: &replayed, before: &before, pg_dump: &pg_dump, scratch: &scratch };
        trial.run(&dump, &after, &mut summary, &mut tell).await?;
        dump = after;
    }
    Ok(summary)
}
