//! `sea-orm up|down CHAIN.json`: the migrations of a file as sea-orm-migration runs them, on `DATABASE_URL`.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, Database};
use serde::Deserialize;
use std::sync::OnceLock;

#[derive(Deserialize)]
struct Statement {
    sql: String,
    /// Run only where this table is there.
    if_table: Option<String>,
}

#[derive(Deserialize)]
struct File {
    name: String,
    /// Whether a statement of it can't be in a transaction.
    outside: bool,
    up: Vec<Statement>,
    down: Vec<Statement>,
}

static CHAIN: OnceLock<Vec<File>> = OnceLock::new();

struct Migration(&'static File);

impl MigrationName for Migration {
    fn name(&self) -> &str {
        &self.0.name
    }
}

async fn run(manager: &SchemaManager<'_>, statements: &[Statement]) -> Result<(), DbErr> {
    for statement in statements {
        let there = match &statement.if_table {
            Some(table) => manager.has_table(table).await?,
            None => true,
        };
        if there {
            manager.get_connection().execute_unprepared(&statement.sql).await?;
        }
    }
    Ok(())
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        self.0.outside.then_some(false)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, &self.0.up).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, &self.0.down).await
    }
}

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        CHAIN.get().into_iter().flatten().map(|file| Box::new(Migration(file)) as Box<dyn MigrationTrait>).collect()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [direction, chain] = arguments.as_slice() else {
        println!("sea-orm-migration {}", env!("CARGO_PKG_VERSION"));
        return Ok(());
    };
    let chain = serde_json::from_slice(&std::fs::read(chain)?)?;
    CHAIN.set(chain).map_err(|_| "set once")?;
    let database = Database::connect(std::env::var("DATABASE_URL")?).await?;
    match direction.as_str() {
        "down" => Migrator::down(&database, Some(1)).await?,
        _ => Migrator::up(&database, None).await?,
    }
    database.close().await?;
    Ok(())
}
