//! The schema that the migrations leave on SQLite, and what of a migration SQLite can't do.

use super::{Unsupported, plan};
use crate::operation::Operate;
use crate::ops::Opaque;
use crate::report::Report;
use crate::schema::{Origin, Schema};
use crate::step::{Action, Step};

/// Replays a step, with the names in it that PostgreSQL would choose, on what SQLite has: what is for PostgreSQL alone isn't
/// there. Of what stands in `sqlite { }` nothing is known.
pub fn replay(step: &Step, schema: &mut Schema, origin: &Origin) {
    if step.dialect.is_none() {
        step.clone().replay(schema, origin, &mut Report::default());
    }
}

/// Why SQLite can't do a step, given what is there before it. The engine says the same when it gets there.
///
/// # Errors
/// What SQLite can't say, and what to do instead.
pub fn can_do(step: &Step, schema: &Schema) -> Result<(), Unsupported> {
    if step.dialect.is_some() {
        return Ok(());
    }
    match &step.action {
        Action::Change(operation) => {
            let mut after = schema.clone();
            operation.apply(&mut after, &Origin::default());
            plan(operation, schema, &after).map(|_| ())
        }
        Action::Assert { query, .. } => plan(&Opaque::sqlite(query.clone()).into(), schema, schema).map(|_| ()),
        Action::Declare { .. } | Action::Run { .. } => Ok(()),
    }
}

#[cfg(test)]
#[cfg(feature = "parser")]
mod tests {
    use super::*;
    use crate::replay::steps;
    use crate::step::Dialect;

    fn refusals(sql: &str) -> Vec<String> {
        let mut schema = Schema::default();
        let mut model = Schema::default();
        let mut found = Vec::new();
        for mut step in steps(sql).unwrap_or_default() {
            step.replay(&mut model, &Origin::default(), &mut Report::default());
            found.extend(can_do(&step, &schema).err().map(|unsupported| unsupported.message));
            replay(&step, &mut schema, &Origin::default());
        }
        found
    }

    #[test]
    fn what_sqlite_has_no_word_for_is_refused_where_it_stands() {
        let sql = "create table t (id bigint primary key, a text, d jsonb); create index i on t using gin (d); \
                   alter table t alter column a set default 'x'; create schema s; select pg_notify('a', 'b')";
        assert_eq!(refusals(sql), ["SQLite has no `gin` indexes", "SQLite has no schema `s`"]);
    }

    #[test]
    fn what_is_for_one_of_them_alone_is_not_asked() {
        let mut step = steps("create schema s").unwrap().remove(0);
        assert!(can_do(&step, &Schema::default()).is_err());
        step.dialect = Some(Dialect::Postgres);
        assert_eq!(can_do(&step, &Schema::default()), Ok(()));
        let mut schema = Schema::default();
        let mut table = steps("create table t (id int)").unwrap().remove(0);
        table.dialect = Some(Dialect::Postgres);
        replay(&table, &mut schema, &Origin::default());
        assert!(schema.tables.is_empty());
    }
}
