//! Chains as the files of each tool.

use crate::migrations::{Chain, Migration, Statement};
use serde_json::json;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// A file for each run of statements that a tool can have together: one that can't be in a transaction stands alone.
fn parts(chain: &Chain) -> Vec<(u32, bool, String, &Migration)> {
    let mut parts = Vec::new();
    for migration in &chain.migrations {
        let mut number = migration.number * 10;
        let mut text = String::new();
        for statement in &migration.up {
            if statement.is_outside() {
                if !text.is_empty() {
                    parts.push((number, false, std::mem::take(&mut text), migration));
                    number += 1;
                }
                parts.push((number, true, format!("{};\n", statement.guarded()), migration));
                number += 1;
            } else {
                writeln!(text, "{};", statement.guarded()).unwrap();
            }
        }
        if !text.is_empty() {
            parts.push((number, false, text, migration));
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
    for (number, outside, text, migration) in parts(chain) {
        let heading = if outside { "-- no-transaction\n" } else { "" };
        fs::write(folder.join(format!("{number:04}_m.up.sql")), format!("{heading}{text}")).unwrap();
        fs::write(folder.join(format!("{number:04}_m.down.sql")), down(migration)).unwrap();
    }
}

/// `VN__name.sql`.
pub fn refinery(chain: &Chain, folder: &Path) {
    for (number, _, text, _) in parts(chain) {
        fs::write(folder.join(format!("V{number}__m.sql")), text).unwrap();
    }
}

/// A folder with `up.sql`, `down.sql` and, where it is needed, `metadata.toml`.
pub fn diesel(chain: &Chain, folder: &Path) {
    fs::write(folder.join("diesel.toml"), "").unwrap();
    for (number, outside, text, migration) in parts(chain) {
        let folder = folder.join(format!("{number:04}_m"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("up.sql"), text).unwrap();
        fs::write(folder.join("down.sql"), down(migration)).unwrap();
        if outside {
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
    let migration = |migration: &Migration| {
        json!({
            "name": format!("m{:04}", migration.number),
            "outside": migration.up.iter().any(Statement::is_outside),
            "up": migration.up.iter().map(statement).collect::<Vec<_>>(),
            "down": migration.down.iter().map(|sql| json!({ "sql": sql })).collect::<Vec<_>>(),
        })
    };
    let chain: Vec<_> = chain.migrations.iter().map(migration).collect();
    fs::write(folder.join("chain.json"), serde_json::to_string(&chain).unwrap()).unwrap();
}

const ALEMBIC_ENV: &str = "import os
from alembic import context
from sqlalchemy import create_engine, pool

engine = create_engine(os.environ['DATABASE_URL'], poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=None)
    with context.begin_transaction():
        context.run_migrations()
";

/// An environment as `alembic init` makes it, and a module for each migration.
pub fn alembic(chain: &Chain, folder: &Path) {
    let versions = folder.join("script/versions");
    fs::create_dir_all(&versions).unwrap();
    fs::write(folder.join("alembic.ini"), format!("[alembic]\nscript_location = {}\n", folder.join("script").display())).unwrap();
    fs::write(folder.join("script/env.py"), ALEMBIC_ENV).unwrap();
    let mut before: Option<u32> = None;
    for migration in &chain.migrations {
        let after = if migration.after.is_empty() { before.into_iter().collect() } else { migration.after.clone() };
        let after: Vec<String> = after.iter().map(|number| format!("'r{number}', ")).collect();
        let after = if after.is_empty() { "None".to_owned() } else { format!("({})", after.concat()) };
        let mut text =
            format!("import sqlalchemy as sa\nfrom alembic import op\n\nrevision = 'r{}'\ndown_revision = {after}\n\n\n", migration.number);
        text.push_str("def upgrade():\n    pass\n");
        for statement in &migration.up {
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
        for sql in &migration.down {
            writeln!(text, "    op.execute(sa.text({sql:?}))").unwrap();
        }
        fs::write(versions.join(format!("r{}.py", migration.number)), text).unwrap();
        before = Some(migration.number);
    }
}
