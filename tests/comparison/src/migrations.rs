//! What is to be migrated, before a tool has it written in its own way.

/// A statement, as plain PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// One that is run.
    Sql(String),
    /// One that can't be in a transaction.
    Outside(String),
    /// One that is run only where its table is there.
    IfTable {
        /// The table, as it is looked for.
        table: String,
        /// What creates it, for a tool that wants to know it.
        declared: String,
        /// The statement: `alter table …`.
        sql: String,
    },
}

/// A migration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migration {
    /// Its place in the order.
    pub number: u32,
    /// Those that it comes after; the one before it in the list, if it says nothing.
    pub after: Vec<u32>,
    /// What it does.
    pub up: Vec<Statement>,
    /// What reverses it.
    pub down: Vec<String>,
}

/// All of them, and what was there before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// What every deployment has, and no migration has made.
    pub base: String,
    /// The migrations.
    pub migrations: Vec<Migration>,
}

/// A statement that is run.
#[must_use]
pub fn sql(text: &str) -> Statement {
    Statement::Sql(text.to_owned())
}

/// One that can't be in a transaction.
#[must_use]
pub fn outside(text: &str) -> Statement {
    Statement::Outside(text.to_owned())
}

/// One for a table that only some deployments have.
#[must_use]
pub fn if_table(table: &str, declared: &str, sql: &str) -> Statement {
    Statement::IfTable { table: table.to_owned(), declared: declared.to_owned(), sql: sql.to_owned() }
}

impl Chain {
    /// A chain on these tables.
    #[must_use]
    pub fn on(base: &str) -> Self {
        Self { base: base.to_owned(), migrations: Vec::new() }
    }

    /// With one migration more.
    #[must_use]
    pub fn with<const N: usize>(mut self, up: [Statement; N]) -> Self {
        let number = u32::try_from(self.migrations.len()).unwrap_or(u32::MAX) + 1;
        self.migrations.push(Migration { number, up: up.into(), ..Migration::default() });
        self
    }
}

impl Migration {
    /// What a tool can have together: a statement that can't be in a transaction is alone.
    pub fn parts(&self) -> impl Iterator<Item = &[Statement]> {
        self.up.chunk_by(|one, next| !one.is_outside() && !next.is_outside())
    }
}

impl Statement {
    /// As plain SQL that may be run on any deployment.
    #[must_use]
    pub fn guarded(&self) -> String {
        match self {
            Self::Sql(sql) | Self::Outside(sql) => sql.clone(),
            Self::IfTable { sql, .. } => sql.replacen("alter table", "alter table if exists", 1),
        }
    }

    /// Whether it can't be in a transaction.
    #[must_use]
    pub fn is_outside(&self) -> bool {
        matches!(self, Self::Outside(_))
    }
}
