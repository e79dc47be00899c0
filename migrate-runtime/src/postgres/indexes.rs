//! Indexes that are built concurrently: what an interrupted build leaves behind, whether the result is what it should be,
//! and which rows are in the way of a unique one.
//!
//! A build that fails or is killed leaves an invalid index of its name. `reindex concurrently` builds under another name,
//! `x_ccnew`, and gives the old one the name `x_ccold` before it drops it: both are invalid then. Neither is of any use, and
//! writes have to maintain them. Those of the indexes that a step is about are dropped, concurrently; a valid index never is,
//! whatever its name, and neither is an invalid one that another step is about.

use super::backend::Postgres;
use super::remains::{LONGEST_PAUSE, last_text};
use crate::engine::{Backend as _, Event, Failure, Planned};
use crate::{Error, Result};
use migrate_core::name::{Name, QualifiedName, quote_literal};
use migrate_core::operation::Operation;
use migrate_core::schema::{ConstraintKind, IndexKeyKind, ObjectKey};
use migrate_core::step::Action;
use migrate_core::verdict::{Answers, Verdict};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Row as _};
use std::time::Duration;

/// How many more duplicates are named.
const NAMED: usize = 3;

/// What a statement is given to find them.
const PATIENCE: &str = "5s";

/// The invalid indexes of those tables and their TOAST tables that `reindex concurrently` has left, of which the condition
/// on `i`, its name `c.relname` and its table `t` holds.
fn leftovers(condition: &str) -> String {
    format!(
        "select pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) from pg_catalog.pg_index as i \
         join pg_catalog.pg_class as c on c.oid = i.indexrelid join pg_catalog.pg_namespace as n on n.oid = c.relnamespace \
         join pg_catalog.pg_class as t on t.oid = i.indrelid or t.reltoastrelid = i.indrelid \
         where not i.indisvalid and c.relkind = 'i' and t.relkind in ('r', 'm') and c.relname::text ~ '_cc(new|old)[0-9]*$'::text and {condition}"
    )
}

/// The name of an index without what `reindex concurrently` has put behind it; that it may have cut it for that counts, too.
fn of_index(name: &str) -> String {
    format!(
        "pg_catalog.starts_with({name}, pg_catalog.regexp_replace(c.relname, '_cc(new|old)[0-9]*$', '')) \
         and (pg_catalog.regexp_replace(c.relname, '_cc(new|old)[0-9]*$', '') = {name} or pg_catalog.octet_length(c.relname) >= 62)"
    )
}

/// What a `reindex` is about: the word for it, and its name as it was written.
fn reindexed(sql: &str) -> Option<(String, &str)> {
    let mut rest = skip_word(sql.trim(), "reindex")?;
    if rest.starts_with('(') {
        rest = rest.split_once(')')?.1.trim_start();
    }
    let kind = rest.split_whitespace().next()?.to_ascii_lowercase();
    rest = skip_word(rest, &kind)?;
    rest = skip_word(rest, "concurrently").unwrap_or(rest);
    Some((kind, rest.trim_end_matches(';').trim()))
}

/// What follows the word, if it is the first.
fn skip_word<'a>(sql: &'a str, word: &str) -> Option<&'a str> {
    let (first, rest) = sql.split_at_checked(word.len())?;
    let ends = rest.chars().next().is_none_or(|c| !c.is_alphanumeric() && c != '_');
    (first.eq_ignore_ascii_case(word) && ends).then(|| rest.trim_start())
}

impl Postgres {
    /// Drops what an interrupted attempt at this step has left: PostgreSQL's manual says to.
    pub(super) async fn drop_invalid_leftover(&mut self, planned: &Planned) -> Result<()> {
        for change in &planned.changes {
            if let (ObjectKey::Index(index), None) = (&change.key, &change.before) {
                self.drop_invalid(index).await?;
            }
        }
        let Action::Change(Operation::Opaque(opaque)) = &planned.step.action else { return Ok(()) };
        if opaque.kind != "reindex" || !opaque.outside_transaction {
            return Ok(());
        }
        let Some((kind, name)) = reindexed(opaque.sql.sql()) else { return Ok(()) };
        let quoted = quote_literal(name);
        let condition = match kind.as_str() {
            "index" => {
                let index = "(select relname from pg_catalog.pg_class where oid = reindexed.oid)";
                format!(
                    "exists (select from (select pg_catalog.to_regclass({quoted})::pg_catalog.oid as oid) as reindexed \
                     where i.indrelid = (select indrelid from pg_catalog.pg_index where indexrelid = reindexed.oid) and {})",
                    of_index(index)
                )
            }
            "table" => format!("t.oid = pg_catalog.to_regclass({quoted})"),
            "schema" => {
                format!("pg_catalog.quote_ident((select nspname from pg_catalog.pg_namespace where oid = t.relnamespace)) = {quoted}")
            }
            "database" => "true".to_owned(),
            _ => return Ok(()),
        };
        self.drop_all(&leftovers(&condition)).await
    }

    /// Drops an index of this name that is not valid, and what `reindex concurrently` has left of it.
    pub(super) async fn drop_invalid(&mut self, index: &QualifiedName) -> Result<()> {
        let (schema, name) = (quote_literal(index.schema.as_str()), quote_literal(index.name.as_str()));
        let own = format!(
            "select pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) from pg_catalog.pg_index as i \
             join pg_catalog.pg_class as c on c.oid = i.indexrelid join pg_catalog.pg_namespace as n on n.oid = c.relnamespace \
             where not i.indisvalid and n.nspname = {schema} and c.relname = {name}"
        );
        let others = leftovers(&format!("n.nspname = {schema} and {}", of_index(&name)));
        self.drop_all(&format!("{own} union {others}")).await
    }

    /// Drops the invalid indexes that the query names. One that somebody is building is waited for.
    async fn drop_all(&mut self, query: &str) -> Result<()> {
        let query = format!(
            "select invalid.name, coalesce((select pg_catalog.min(p.pid)::text from pg_catalog.pg_stat_progress_create_index as p \
             where p.index_relid = pg_catalog.to_regclass(invalid.name)::pg_catalog.oid), ''::text) from ({query}) as invalid (name)"
        );
        let mut pause = Duration::from_millis(20);
        loop {
            let rows = sqlx::raw_sql(AssertSqlSafe(query.clone())).fetch_all(&mut self.connection).await;
            let rows = rows.map_err(|error| Error::server("looking for an invalid index", error))?;
            let text = |row: &PgRow, i: usize| row.try_get::<String, _>(i).unwrap_or_default();
            let (left, built): (Vec<&PgRow>, Vec<&PgRow>) = rows.iter().partition(|row| text(row, 1).is_empty());
            for index in left.iter().map(|row| text(row, 0)) {
                self.options.tell(&Event::Leftover { index: index.clone() });
                self.raw(&format!("drop index concurrently if exists {index}")).await?;
            }
            let Some(busy) = built.first() else { return Ok(()) };
            let holder = format!("pid {}, which builds the index {}", text(busy, 1), text(busy, 0));
            self.options.tell(&Event::WaitingForLock { holder });
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// After a step outside of a transaction: is what it should have made there, with this definition, and valid?
    pub(super) async fn verify(&mut self, planned: &Planned) -> Result<(), Failure> {
        let Action::Change(operation) = &planned.step.action else { return Ok(()) };
        if planned.changes.is_empty() {
            return Ok(());
        }
        let live = self.snapshot_here().await?;
        for change in &planned.changes {
            let found = live.definition(&change.key);
            let valid = found.as_ref().is_none_or(|definition| definition.get("valid").is_none());
            if found.is_some() != change.after.is_some() || !valid {
                let message = format!("{} is not what the statement should have left", change.key);
                return Err(Failure::of_step(planned, message, "run `up` again: it drops what is invalid and builds it anew"));
            }
        }
        let mut answers = Answers::default();
        loop {
            match self.verdict(operation, &planned.changes, &planned.excerpt, &live, &answers) {
                Verdict::Unsure(questions) => {
                    let same = self.answer(&questions).await?;
                    for (question, same) in questions.into_iter().zip(same) {
                        answers.record(question, same);
                    }
                }
                Verdict::Conflict(differences) => {
                    let lines: Vec<String> = differences.iter().map(|difference| format!("  {difference}")).collect();
                    let message = format!("it is not what the statement should have left\n{}", lines.join("\n"));
                    return Err(Failure::of_step(planned, message, "see who else changes it, drop it, and run `up` again"));
                }
                Verdict::Before | Verdict::After | Verdict::Absent(_) => return Ok(()),
            }
        }
    }

    /// Where a unique index could not be built, says which other keys are in the way, too: the server names one.
    pub(super) async fn name_duplicates(&mut self, planned: &Planned, failure: Failure) -> Failure {
        let Failure::Operation { place, sql, mut message, sqlstate, help } = failure else { return failure };
        if sqlstate.as_deref() == Some("23505")
            && let Action::Change(operation) = &planned.step.action
            && let Some(query) = duplicates(operation)
        {
            let limit = format!("select pg_catalog.set_config('statement_timeout', '{PATIENCE}', true)");
            // on a large table it may take too long, and that they can't be named makes no difference
            let named = last_text(&mut self.connection, "looking for duplicates", format!("begin; {limit}; {query}")).await;
            let ended = self.raw("rollback").await;
            if let (Ok(Some(keys)), Ok(())) = (named, ended) {
                message = format!("{message} Duplicates: {keys}");
            }
        }
        Failure::Operation { place, sql, message, sqlstate, help }
    }
}

/// A query for the keys that are there more than once, in one text, if there are several. `None` where the operation makes
/// nothing unique.
fn duplicates(operation: &Operation) -> Option<String> {
    let (table, keys, nulls_not_distinct, predicate) = match operation {
        Operation::CreateIndex(create) if create.index.unique => {
            let keys = create.index.keys.iter().map(|key| match &key.kind {
                IndexKeyKind::Column(name) => name.quoted(),
                IndexKeyKind::Expression(expression) => format!("({})", expression.sql()),
            });
            let predicate = create.index.predicate.as_ref().map(|predicate| predicate.sql().to_owned());
            (&create.table, keys.collect::<Vec<_>>(), create.index.nulls_not_distinct, predicate)
        }
        Operation::AddConstraint(add) => match &add.constraint.kind {
            ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => {
                (&add.table, key.columns.iter().map(Name::quoted).collect(), key.nulls_not_distinct, None)
            }
            _ => return None,
        },
        _ => return None,
    };
    let mut conditions: Vec<String> = predicate.into_iter().map(|predicate| format!("({predicate})")).collect();
    if !nulls_not_distinct {
        conditions.extend(keys.iter().map(|key| format!("{key} is not null")));
    }
    let condition = if conditions.is_empty() { "true".to_owned() } else { conditions.join(" and ") };
    let shown: Vec<String> = keys.iter().map(|key| format!("coalesce({key}::text, 'null')")).collect();
    let numbers: Vec<String> = (1..=keys.len()).map(|number| number.to_string()).collect();
    Some(format!(
        "select case when pg_catalog.count(*) > 1 then {} || pg_catalog.string_agg(case when place > {NAMED} then '…' else named end, ', ' \
         order by place) end from (select '('::text || pg_catalog.concat_ws(', ', {}) || ') '::text || many::text || ' times'::text as named, \
         pg_catalog.row_number() over () as place from (select {}, pg_catalog.count(*) as many from {} where {condition} \
         group by {} having pg_catalog.count(*) > 1 order by many desc, {} limit {}) as twice) as named",
        quote_literal(&format!("({}) = ", keys.join(", "))),
        (1..=keys.len()).map(|number| format!("key{number}")).collect::<Vec<_>>().join(", "),
        shown.iter().enumerate().map(|(i, key)| format!("{key} as key{}", i + 1)).collect::<Vec<_>>().join(", "),
        table.quoted(),
        numbers.join(", "),
        numbers.join(", "),
        NAMED + 1
    ))
}

#[cfg(test)]
mod tests {
    use super::reindexed;

    #[test]
    fn what_a_reindex_is_about_is_read_from_its_text() {
        let found = |sql| reindexed(sql).map(|(kind, name)| format!("{kind} {name}"));
        for (sql, expected) in [
            ("reindex table concurrently documents", "table documents"),
            ("REINDEX (verbose, tablespace x) INDEX CONCURRENTLY public.\"An Index\";", "index public.\"An Index\""),
            ("reindex (concurrently) table t", "table t"),
            ("reindex schema concurrently public", "schema public"),
            ("reindex database concurrently", "database "),
        ] {
            assert_eq!(found(sql).as_deref(), Some(expected), "{sql}");
        }
        assert_eq!(found("vacuum t"), None);
    }
}
