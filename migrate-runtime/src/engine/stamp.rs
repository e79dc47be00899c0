//! `stamp`: records a revision and all before it without running anything.

use super::{Backend, Failure};
use crate::history::{History, RevisionState, heads, nodes, resolve};
use crate::{Head, Migration, Migrations, Result};
use serde::Serialize;

/// What `stamp` has done.
#[derive(Clone, Debug, Serialize)]
pub struct Stamped {
    /// The revision that was asked for, recorded now.
    pub revision: String,
    /// Its name.
    pub name: String,
    /// Host, port, database and user, without the password.
    pub target: String,
    /// The revisions that were not recorded before.
    pub recorded: Vec<String>,
    /// Where the database stands now: the recorded revisions that no recorded one follows.
    pub current: Vec<Head>,
}

/// Records `revision` and all that come before it.
pub(crate) async fn stamp<B: Backend>(backend: &mut B, chain: Migrations, revision: &str) -> Result<Stamped> {
    let target = resolve(chain, revision)?;
    let mut history = backend.guard("stamp").await?.history;
    let result = loop {
        match guarded(backend, chain, target, &history).await {
            Err(Failure::Overtaken) => match backend.history().await {
                Ok(now) => history = now,
                Err(error) => break Err(error),
            },
            result => break result.map_err(|failure| failure.into_error(false, true)),
        }
    };
    let released = backend.release().await;
    let stamped = result?;
    released?;
    Ok(stamped)
}

async fn guarded<B: Backend>(
    backend: &mut B,
    chain: Migrations,
    target: &'static Migration,
    history: &History,
) -> Result<Stamped, Failure> {
    let nodes = nodes(chain);
    let before = migrate_core::chain::ancestors(&nodes, target.revision);
    let wanted = |migration: &&'static Migration| migration.revision == target.revision || before.contains(migration.revision);
    let missing: Vec<&Migration> =
        chain.migrations.iter().copied().filter(wanted).filter(|migration| !history.is_done(migration.revision)).collect();
    if !missing.is_empty() {
        backend.record_revisions(&missing, RevisionState::Stamped).await?;
    }
    // read back, so that what is printed is what the database says
    let now = backend.history().await?;
    now.validate(chain)?;
    Ok(Stamped {
        revision: target.revision.to_owned(),
        name: target.name.to_owned(),
        target: backend.target(),
        recorded: missing
            .iter()
            .filter(|migration| now.is_done(migration.revision))
            .map(|migration| migration.revision.to_owned())
            .collect(),
        current: heads(chain, |revision| now.is_done(revision)),
    })
}
