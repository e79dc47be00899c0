//! Indexes that are built concurrently: what an interrupted build leaves behind, whether the result is what it should be,
//! and which rows are in the way of a unique one.
//!
//! A build that fails or is killed leaves an invalid index of its name. `reindex concurrently` builds under another name,
//! `x_ccnew`, and gives the old one the name `x_ccold` before it drops it: both are invalid then. Neither is of any use, and
//! writes have to maintain them. Those of the indexes that a step is about are dropped, concurrently; a valid index never is,
//! whatever its name, and neither is an invalid one that another step is about.

use super::backend::{Postgres, SEARCH_PATH};
use super::remains::last_text;
use crate::engine::{Backend as _, Event, Failure, Planned, Rules as _, Work};
use crate::{Error, Result};
use migrate_core::name::{Name, QualifiedName, quote_literal};
use migrate_core::operation::Operation;
use migrate_core::schema::{ConstraintKind, IndexKeyKind, ObjectKey};
use migrate_core::step::Action;
use migrate_core::verdict::{Answers, Verdict};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Row as _};
use std::time::{Duration, Instant};

/// How many more duplicates are named.
const NAMED: usize = 3;

/// What a statement is given to find them.
const PATIENCE: &str = "5s";

/// The invalid indexes of those tables and their TOAST tables that `reindex concurrently` has left, of which the condition
/// on `i`, its name `c.relname` and its table `t` holds.
fn leftovers(condition: &str) -> String {
    format!(
        "select i.indexrelid from pg_catalog.pg_index as i \
         join pg_catalog.pg_class as c on c.oid = i.indexrelid join pg_catalog.pg_namespace as n on n.oid = c.relnamespace \
         join pg_catalog.pg_class as t on t.oid = i.indrelid or t.reltoastrelid = i.indrelid \
         where not i.indisvalid and c.relkind = 'i' and t.relkind in ('r', 'm') and c.relname::text ~ '_cc(new|old)[0-9]*$'::text and {condition}"
    )
}

/// The name of an index without what `reindex concurrently` has put behind it; that it may have cut it for that counts, too,
/// by up to a character of four bytes.
fn of_index(name: &str) -> String {
    format!(
        "pg_catalog.starts_with({name}, pg_catalog.regexp_replace(c.relname, '_cc(new|old)[0-9]*$', '')) \
         and (pg_catalog.regexp_replace(c.relname, '_cc(new|old)[0-9]*$', '') = {name} or pg_catalog.octet_length(c.relname) >= 60)"
    )
}

/// Of the invalid indexes that the query gives: the place in the catalog, the name, and who may be building it. Everyone may
/// see who has the lock that a build holds on its table from its begin to its end; what it is at is shown to some only.
/// `autovacuum` takes the same, and is nobody: it gives way to who wants to drop an index.
fn invalid(query: &str) -> String {
    format!(
        "select c.oid::text, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), \
         coalesce((select pg_catalog.min(l.pid)::text from pg_catalog.pg_locks as l join pg_catalog.pg_stat_activity as a on a.pid = l.pid \
         where l.locktype = 'relation' and l.granted and l.mode = 'ShareUpdateExclusiveLock' and l.relation = i.indrelid \
         and l.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()) \
         and l.pid <> pg_catalog.pg_backend_pid() and a.usesysid is not null), ''::text) \
         from pg_catalog.pg_index as i join pg_catalog.pg_class as c on c.oid = i.indexrelid \
         join pg_catalog.pg_namespace as n on n.oid = c.relnamespace where not i.indisvalid and i.indexrelid in ({query}) order by c.oid"
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
    pub(super) async fn drop_invalid_leftover(&mut self, work: &Work, planned: &Planned) -> Result<(), Failure> {
        if let Action::Change(Operation::CreateIndex(create)) = &planned.step.action {
            for change in &planned.changes {
                if let (ObjectKey::Index(index), None) = (&change.key, &change.before) {
                    self.drop_invalid(work, planned, index, &create.table).await?;
                }
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
        self.drop_all(work, planned, &leftovers(&condition)).await
    }

    /// Drops an index of this name on that table that is not valid, and what `reindex concurrently` has left of it.
    pub(super) async fn drop_invalid(
        &mut self,
        work: &Work,
        planned: &Planned,
        index: &QualifiedName,
        table: &QualifiedName,
    ) -> Result<(), Failure> {
        let (schema, name) = (quote_literal(index.schema.as_str()), quote_literal(index.name.as_str()));
        let table = quote_literal(&table.quoted());
        let own = format!(
            "select i.indexrelid from pg_catalog.pg_index as i \
             join pg_catalog.pg_class as c on c.oid = i.indexrelid join pg_catalog.pg_namespace as n on n.oid = c.relnamespace \
             where n.nspname = {schema} and c.relname = {name} and i.indrelid = pg_catalog.to_regclass({table})"
        );
        let others = leftovers(&format!("t.oid = pg_catalog.to_regclass({table}) and n.nspname = {schema} and {}", of_index(&name)));
        self.drop_all(work, planned, &format!("{own} union {others}")).await
    }

    /// Drops the invalid ones of the indexes that the query gives. One that somebody is building is waited for.
    async fn drop_all(&mut self, work: &Work, planned: &Planned, query: &str) -> Result<(), Failure> {
        let doing = "looking for an invalid index";
        let query = invalid(query);
        let (began, mut pause) = (Instant::now(), Duration::from_millis(20));
        loop {
            let rows = sqlx::raw_sql(AssertSqlSafe(query.clone())).fetch_all(&mut self.connection).await;
            let rows = rows.map_err(|error| Error::server(doing, error))?;
            let text = |row: &PgRow, i: usize| row.try_get::<String, _>(i).unwrap_or_default();
            let mut busy = None;
            for oid in rows.iter().map(|row| text(row, 0)) {
                // right before: somebody who has repaired it has given its name to another one
                let now = sqlx::raw_sql(AssertSqlSafe(invalid(&format!("{oid}::pg_catalog.oid"))));
                let now = now.fetch_optional(&mut self.connection).await.map_err(|error| Error::server(doing, error))?;
                let Some((index, builder)) = now.map(|row| (text(&row, 1), text(&row, 2))) else { continue };
                if !builder.is_empty() {
                    busy = Some((index, builder));
                    continue;
                }
                self.options.tell(&Event::Leftover { index: index.clone() });
                let dropped = self.statement(work, format!("drop index concurrently if exists {index}")).await;
                dropped.map_err(|error| self.failed(planned, error))?;
            }
            let Some((index, builder)) = busy else { return Ok(()) };
            let holder = format!("pid {builder}, which may be building the index {index}");
            self.wait_for(planned, holder, began, &mut pause).await?;
        }
    }

    /// After a step outside of a transaction: is what it should have made there, with this definition, and valid?
    pub(super) async fn verify(&mut self, planned: &Planned) -> Result<(), Failure> {
        let (Action::Change(operation), Some(before)) = (&planned.step.action, &planned.before) else { return Ok(()) };
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
            match Self::verdict(operation, &planned.changes, before, &live, &answers) {
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
            // that they can't be named makes no difference
            && let Some(keys) = self.look_briefly("looking for duplicates", &query).await
        {
            message = format!("{message} Duplicates: {keys}");
        }
        Failure::Operation { place, sql, message, sqlstate, help }
    }

    /// Looks for the rows that are in the way, if that is quick: on a large table it may take too long.
    pub(super) async fn look_briefly(&mut self, doing: &'static str, query: &str) -> Option<String> {
        let settings = format!(
            "select pg_catalog.set_config('statement_timeout', '{PATIENCE}', true), pg_catalog.set_config('search_path', {}, true)",
            quote_literal(SEARCH_PATH)
        );
        let found = last_text(&mut self.connection, doing, format!("begin; {settings}; {query}")).await;
        let ended = self.raw("rollback").await;
        found.ok().flatten().filter(|_| ended.is_ok())
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
