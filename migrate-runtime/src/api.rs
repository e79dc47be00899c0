//! What an application calls.

use crate::engine;
use crate::{CheckReport, DownTo, Error, Migrations, Options, Plan, Result, Stamped, Status, Summary};
use migrate_core::step::Dialect;
use tracing::Instrument as _;

/// Which database to work on.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Target {
    /// A PostgreSQL server.
    #[cfg(feature = "postgres")]
    Postgres(Box<sqlx::postgres::PgConnectOptions>),
    /// An SQLite file, or a database in memory.
    #[cfg(feature = "sqlite")]
    Sqlite(Box<sqlx::sqlite::SqliteConnectOptions>),
}

impl Target {
    /// The kind of database, as OpenTelemetry's conventions call it.
    fn system(&self) -> &'static str {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Dialect::Postgres.system(),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Dialect::Sqlite.system(),
        }
    }
}

/// What names a database: a URL, or a pool of sqlx.
pub trait IntoTarget {
    /// The database.
    ///
    /// # Errors
    /// A URL that can't be read, or is of a kind that this build doesn't speak.
    fn into_target(self) -> Result<Target>;
}

impl IntoTarget for Target {
    fn into_target(self) -> Result<Target> {
        Ok(self)
    }
}

#[cfg(feature = "postgres")]
impl IntoTarget for &sqlx::PgPool {
    fn into_target(self) -> Result<Target> {
        Ok(Target::Postgres(Box::new((*self.connect_options()).clone())))
    }
}

#[cfg(feature = "sqlite")]
impl IntoTarget for &sqlx::SqlitePool {
    fn into_target(self) -> Result<Target> {
        Ok(Target::Sqlite(Box::new((*self.connect_options()).clone())))
    }
}

impl IntoTarget for &str {
    fn into_target(self) -> Result<Target> {
        let wrong = |reason: String| Error::Url { reason, help: format!("write {}", spellings()) };
        let scheme = self.split_once(':').map_or("", |(scheme, _)| scheme);
        let is_scheme = scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
        // what isn't one may be anything, `password=…` too, and is not repeated
        if scheme.is_empty() || !is_scheme {
            return Err(wrong("the database URL has no scheme".to_owned()));
        }
        if password_ends_early(self) {
            let help = "write `/` in a user, a password or a database as `%2F`, `?` as `%3F`, `#` as `%23` and `@` as `%40`".to_owned();
            return Err(Error::Url { reason: "the database URL has an `@` behind its host".to_owned(), help });
        }
        match scheme.to_ascii_lowercase().as_str() {
            #[cfg(feature = "postgres")]
            // without `//` all of the rest would be the database
            "postgres" | "postgresql" if !self[scheme.len()..].starts_with("://") => {
                Err(wrong("the database URL has no `//` after its scheme".to_owned()))
            }
            #[cfg(feature = "postgres")]
            "postgres" | "postgresql" => {
                let parsed =
                    self.parse().map_err(|error| wrong(format!("the database URL can't be read: {}", without_url(&error, self))))?;
                Ok(Target::Postgres(Box::new(parsed)))
            }
            #[cfg(feature = "sqlite")]
            "sqlite" => {
                let parsed: sqlx::sqlite::SqliteConnectOptions =
                    self.parse().map_err(|error| wrong(format!("the database URL can't be read: {}", without_url(&error, self))))?;
                Ok(Target::Sqlite(Box::new(parsed)))
            }
            other => Err(wrong(format!("this build doesn't speak `{other}`"))),
        }
    }
}

/// What a URL of this build looks like.
pub(crate) fn spellings() -> &'static str {
    match (cfg!(feature = "postgres"), cfg!(feature = "sqlite")) {
        (true, true) => "`postgres://user@host:5432/database` or `sqlite://path/to/file.db`",
        (_, false) => "`postgres://user@host:5432/database`",
        (false, true) => "`sqlite://path/to/file.db`",
    }
}

/// Whether an `@` stands behind the host: `user:pass/word@host` would be read as the host `user` and the database
/// `word@host`, which is a part of the password. Values of parameters may have one.
fn password_ends_early(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else { return false };
    let Some(end) = rest.find(['/', '?', '#']) else { return false };
    let (rest, fragment) = rest[end..].split_once('#').unwrap_or((&rest[end..], ""));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let names = query.split('&').map(|parameter| parameter.split('=').next().unwrap_or_default());
    [path, fragment].into_iter().chain(names).any(|part| part.contains('@'))
}

/// A driver's message, without the URL should it be in there: it has a password.
fn without_url(error: &sqlx::Error, url: &str) -> String {
    error.to_string().replace(url, "(the URL)")
}

/// One database, to run commands on. Opened for each command, closed after it.
#[derive(Clone, Debug)]
pub struct Database {
    target: Target,
    options: Options,
    /// What its sessions are called, unlike those of any other migrator.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "only PostgreSQL has sessions"))]
    session: String,
}

/// Opens the database, calls a function of the engine with it, and closes it.
macro_rules! with_backend {
    ($database:expr, $command:literal, $backend:ident => $call:expr) => {{
        let span = tracing::info_span!(
            "migrate",
            otel.name = concat!("migrate ", $command),
            otel.kind = "client",
            db.system.name = $database.target.system(),
            db.operation.name = $command,
        );
        async {
            match &$database.target {
                #[cfg(feature = "postgres")]
                Target::Postgres(connect) => {
                    let connect = (**connect).clone().application_name(&$database.session);
                    let mut opened = crate::postgres::Postgres::connect(connect, $database.options.clone()).await?;
                    let $backend = &mut opened;
                    let result = $call.await;
                    opened.close().await;
                    result
                }
                #[cfg(feature = "sqlite")]
                Target::Sqlite(connect) => {
                    let mut opened = crate::sqlite::Sqlite::connect((**connect).clone(), $database.options.clone()).await?;
                    let $backend = &mut opened;
                    let result = $call.await;
                    opened.close().await;
                    result
                }
            }
        }
        .instrument(span)
        .await
    }};
}

impl Database {
    /// A database by URL or pool, with the usual options.
    ///
    /// # Errors
    /// A URL that can't be read, or is of a kind that this build doesn't speak.
    pub fn new(target: impl IntoTarget) -> Result<Self> {
        let session = format!("migrate {:08x}", fastrand::u32(..));
        Ok(Self { target: target.into_target()?, options: Options::default(), session })
    }

    /// The same with other options.
    #[must_use]
    pub fn with_options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Applies what is pending, up to `target` or to the head, and what was skipped before and can be done now.
    ///
    /// # Errors
    /// See [`Error`]; each variant says what is true in the database then.
    pub async fn up(&self, chain: Migrations, target: Option<&str>) -> Result<Summary> {
        with_backend!(self, "up", backend => engine::up(backend, chain, target, &self.options))
    }

    /// Reverses what `up` did on this database.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn down(&self, chain: Migrations, to: &DownTo) -> Result<Summary> {
        with_backend!(self, "down", backend => engine::down(backend, chain, to, &self.options))
    }

    /// What `up` would do. Writes nothing.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn plan(&self, chain: Migrations, target: Option<&str>) -> Result<Plan> {
        with_backend!(self, "plan", backend => engine::plan(backend, chain, target))
    }

    /// Where the database stands. Writes nothing.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn status(&self, chain: Migrations) -> Result<Status> {
        with_backend!(self, "status", backend => engine::status(backend, chain))
    }

    /// Where the database stands, and what is otherwise in it than its history says. Writes nothing.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn check(&self, chain: Migrations) -> Result<CheckReport> {
        with_backend!(self, "check", backend => engine::check(backend, chain))
    }

    /// Records a revision and all before it without running anything.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn stamp(&self, chain: Migrations, revision: &str) -> Result<Stamped> {
        with_backend!(self, "stamp", backend => engine::stamp(backend, chain, revision))
    }
}

impl Database {
    /// Ends what is left of a command whose future was dropped, and waits until it is gone: a server goes on with a
    /// statement, and with those that were sent with it, whether or not anybody still listens.
    ///
    /// # Errors
    /// See [`Error`]; sessions that don't end within the time are left alone, and that is an error too.
    #[cfg_attr(not(feature = "postgres"), expect(clippy::unused_async, reason = "only PostgreSQL has sessions"))]
    pub async fn end_sessions(&self) -> Result<()> {
        match &self.target {
            #[cfg(feature = "postgres")]
            Target::Postgres(connect) => crate::postgres::end_sessions(connect, &self.session).await,
            #[cfg(feature = "sqlite")]
            Target::Sqlite(_) => Ok(()),
        }
    }
}

impl Migrations {
    /// Applies what is pending: what an application calls when it starts. Any number of replicas may call it at once: one
    /// works, the others wait for it.
    ///
    /// # Errors
    /// See [`Error`]; each variant says what is true in the database then.
    pub async fn up(self, database: impl IntoTarget) -> Result<Summary> {
        Database::new(database)?.up(self, None).await
    }
}
