//! Chains as the files of each tool.

use crate::migrations::{Chain, Migration, Statement};
use serde_json::json;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// A migration of a tool that doesn't cut one itself where a statement can't be in a transaction.
struct Part<'chain> {
    number: u32,
    after: Vec<u32>,
    statements: &'chain [Statement],
    migration: &'chain Migration,
}

impl Part<'_> {
    fn is_outside(&self) -> bool {
        self.statements.iter().any(Statement::is_outside)
    }

    /// For tools that have files of SQL.
    fn sql(&self) -> String {
        self.statements.iter().flat_map(|statement| [statement.guarded(), ";\n".to_owned()]).collect()
    }
}

fn parts(chain: &Chain) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    for migration in &chain.migrations {
        let last_of = |number: &u32| parts.iter().rfind(|part| part.migration.number == *number);
        let mut after: Vec<u32> = match &migration.after[..] {
            [] => parts.last().into_iter().map(|part| part.number).collect(),
            after => after.iter().filter_map(last_of).map(|part| part.number).collect(),
        };
        for (number, statements) in (migration.number * 10..).zip(migration.parts()) {
            parts.push(Part { number, after, statements, migration });
            after = vec![number];
        }
    }
    parts
}

fn down(migration: &Migration) -> String {
    migration.down.iter().flat_map(|sql| [sql.as_str(), ";\n"]).collect()
}

/// One file with a heading for each migration. What was there before is declared, and so is what may be absent.
pub fn migrate(chain: &Chain, folder: &Path) {
    let mut text = String::new();
    let mut before: Option<u32> = None;
    for migration in &chain.migrations {
        write!(text, "=== r{} m{}", migration.number, migration.number).unwrap();
        let after = if migration.after.is_empty() { before.into_iter().collect() } else { migration.after.clone() };
        if !after.is_empty() {
            text.push_str(" after");
            for number in after {
                write!(text, " r{number}").unwrap();
            }
        }
        text.push('\n');
        if before.is_none() && !chain.base.is_empty() {
            writeln!(text, "--- external\n{};\n--- up", chain.base).unwrap();
        }
        for statement in &migration.up {
            if let Statement::IfTable { declared, .. } = statement
                && !declared.is_empty()
            {
                writeln!(text, "--- optional\n{declared};\n--- up").unwrap();
            }
            let (Statement::Sql(sql) | Statement::Outside(sql) | Statement::IfTable { sql, .. }) = statement;
            writeln!(text, "{sql};").unwrap();
        }
        before = Some(migration.number);
    }
    fs::write(folder.join("chain.txt"), text).unwrap();
}

/// `N_name.up.sql` and `N_name.down.sql`.
pub fn sqlx(chain: &Chain, folder: &Path) {
    for part in parts(chain) {
        let heading = if part.is_outside() { "-- no-transaction\n" } else { "" };
        fs::write(folder.join(format!("{:04}_m.up.sql", part.number)), format!("{heading}{}", part.sql())).unwrap();
        fs::write(folder.join(format!("{:04}_m.down.sql", part.number)), down(part.migration)).unwrap();
    }
}

/// `VN__name.sql`.
pub fn refinery(chain: &Chain, folder: &Path) {
    for part in parts(chain) {
        fs::write(folder.join(format!("V{}__m.sql", part.number)), part.sql()).unwrap();
    }
}

/// A folder with `up.sql`, `down.sql` and, where it is needed, `metadata.toml`.
pub fn diesel(chain: &Chain, folder: &Path) {
    fs::write(folder.join("diesel.toml"), "").unwrap();
    for part in parts(chain) {
        let folder = folder.join(format!("{:04}_m", part.number));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("up.sql"), part.sql()).unwrap();
        fs::write(folder.join("down.sql"), down(part.migration)).unwrap();
        if part.is_outside() {
            fs::write(folder.join("metadata.toml"), "run_in_transaction = false\n").unwrap();
        }
    }
}

/// What the runner in `sea-orm/` reads.
pub fn sea_orm(chain: &Chain, folder: &Path) {
    let statement = |statement: &Statement| match statement {
        Statement::Sql(sql) | Statement::Outside(sql) => json!({ "sql": sql }),
        Statement::IfTable { table, sql, .. } => json!({ "sql": sql, "if_table": table }),
    };
    let migration = |part: &Part<'_>| {
        json!({
            "name": format!("m{:04}", part.number),
            "outside": part.is_outside(),
            "up": part.statements.iter().map(statement).collect::<Vec<_>>(),
            "down": part.migration.down.iter().map(|sql| json!({ "sql": sql })).collect::<Vec<_>>(),
        })
    };
    let chain: Vec<_> = parts(chain).iter().map(migration).collect();
    fs::write(folder.join("chain.json"), serde_json::to_string(&chain).unwrap()).unwrap();
}

const ALEMBIC_ENV: &str = "import os
from alembic import context
from sqlalchemy import create_engine, pool

engine = create_engine(os.environ['DATABASE_URL'], poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=None{SETTING})
    with context.begin_transaction():
        context.run_migrations()
";

/// An environment as `alembic init` makes it, and a module for each migration.
pub fn alembic(chain: &Chain, folder: &Path) {
    let versions = folder.join("script/versions");
    fs::create_dir_all(&versions).unwrap();
    fs::write(folder.join("alembic.ini"), format!("[alembic]\nscript_location = {}\n", folder.join("script").display())).unwrap();
    let parts = parts(chain);
    // its manual recommends it for such statements
    let setting = if parts.iter().any(Part::is_outside) { ", transaction_per_migration=True" } else { "" };
    fs::write(folder.join("script/env.py"), ALEMBIC_ENV.replace("{SETTING}", setting)).unwrap();
    for part in parts {
        let after: Vec<String> = part.after.iter().map(|number| format!("'r{number}', ")).collect();
        let after = if after.is_empty() { "None".to_owned() } else { format!("({})", after.concat()) };
        let mut text =
            format!("import sqlalchemy as sa\nfrom alembic import op\n\nrevision = 'r{}'\ndown_revision = {after}\n\n\n", part.number);
        text.push_str("def upgrade():\n    pass\n");
        for statement in part.statements {
            match statement {
                Statement::Sql(sql) => writeln!(text, "    op.execute(sa.text({sql:?}))"),
                Statement::Outside(sql) => {
                    writeln!(text, "    with op.get_context().autocommit_block():\n        op.execute(sa.text({sql:?}))")
                }
                Statement::IfTable { table, sql, .. } => {
                    let (schema, table) = table.split_once('.').map_or((None, table.as_str()), |(schema, table)| (Some(schema), table));
                    let schema = schema.map_or_else(|| "None".to_owned(), |schema| format!("{schema:?}"));
                    writeln!(
                        text,
                        "    if sa.inspect(op.get_bind()).has_table({table:?}, schema={schema}):\n        op.execute(sa.text({sql:?}))"
                    )
                }
            }
            .unwrap();
        }
        text.push_str("\n\ndef downgrade():\n    pass\n");
        for sql in &part.migration.down {
            writeln!(text, "    op.execute(sa.text({sql:?}))").unwrap();
        }
        fs::write(versions.join(format!("r{}.py", part.number)), text).unwrap();
    }
}
