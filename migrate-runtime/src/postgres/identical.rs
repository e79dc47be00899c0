//! Is what an opaque statement creates there already, with the same definition? The server is asked to replace it, and
//! its own words before and after are compared.

use super::backend::Postgres;
use crate::Error;
use crate::engine::Planned;
use migrate_core::name::quote_literal;
use migrate_core::operation::Operation;
use migrate_core::step::Action;
use sqlx::{AssertSqlSafe, Row as _};

const FUNCTIONS: &str = "select coalesce(pg_catalog.md5(pg_catalog.string_agg(pg_catalog.pg_get_functiondef(p.oid), '' order by p.oid)), '') \
    from pg_catalog.pg_proc as p join pg_catalog.pg_namespace as n on n.oid = p.pronamespace \
    where p.prokind in ('f', 'p') and n.nspname::text !~ '^(pg_|information_schema$)'";

const TRIGGERS: &str = "select coalesce(pg_catalog.md5(pg_catalog.string_agg(pg_catalog.pg_get_triggerdef(oid), '' order by oid)), '') \
    from pg_catalog.pg_trigger where not tgisinternal";

impl Postgres {
    /// Whether the statement would change nothing. The transaction is open, and left as it was.
    pub(super) async fn is_there_identically(&mut self, planned: &Planned) -> Result<bool, Error> {
        let Action::Change(Operation::Opaque(opaque)) = &planned.step.action else { return Ok(false) };
        let definitions = match opaque.kind.as_str() {
            "create function" | "create procedure" => FUNCTIONS,
            "create trigger" => TRIGGERS,
            _ => return Ok(false),
        };
        let sql = opaque.sql.sql();
        let Some(rest) = sql.get("create".len()..).map(|rest| strip_words(rest, &["or", "replace"])) else { return Ok(false) };
        // one message: where replacing fails (another return type, a server before 14) nothing was the same
        let sql = format!(
            "savepoint _migrate_same; {definitions}; create or replace{rest}\n; {definitions}; \
             rollback to savepoint _migrate_same; release savepoint _migrate_same; select {}",
            quote_literal("done")
        );
        let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut self.connection).await;
        match rows {
            Ok(rows) => {
                let text = |i: usize| rows.get(i).and_then(|row| row.try_get::<String, _>(0).ok());
                Ok(rows.len() == 3 && text(0).is_some() && text(0) == text(1))
            }
            Err(sqlx::Error::Database(_)) => {
                self.raw("rollback to savepoint _migrate_same; release savepoint _migrate_same").await?;
                Ok(false)
            }
            Err(error) => Err(Error::server("comparing a definition", error)),
        }
    }
}

/// `sql` without the words that it begins with, if it does.
fn strip_words<'a>(sql: &'a str, words: &[&str]) -> &'a str {
    let mut rest = sql;
    for word in words {
        let trimmed = rest.trim_start();
        match trimmed.get(..word.len()) {
            Some(start) if start.eq_ignore_ascii_case(word) => rest = &trimmed[word.len()..],
            _ => return sql,
        }
    }
    rest
}
