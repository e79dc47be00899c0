//! What `*` stands for in a query, which PostgreSQL decides once: when a view of it is created.

use super::{span, tokens};
use crate::expression::{Expression, Token};
use crate::name::{Name, QualifiedName, quote_identifier};

use super::scopes::{Clause, Query, Source};

/// The columns of a relation, in their order; `None` where they aren't known.
pub(crate) type ColumnsOf<'a> = &'a dyn Fn(&QualifiedName) -> Option<Vec<Name>>;

impl Expression {
    /// Writes the columns for each `*` among the results, wherever they are known for sure. Tells where in the text each
    /// of those was, and what its columns are called.
    pub(crate) fn expand_stars(&mut self, columns_of: ColumnsOf) -> Vec<(usize, Vec<Name>)> {
        let tokens = tokens(self.sql());
        let query = Query::read(&tokens);
        let stars = (0..tokens.len()).filter_map(|i| Some((query.star(i)?, query.columns_of_star(i, columns_of)?)));
        let stars: Vec<_> = stars.map(|(range, columns)| (span(&tokens, &range), columns)).collect();
        let spelt = |columns: &[(String, Name)]| columns.iter().map(|(sql, _)| sql.as_str()).collect::<Vec<_>>().join(", ");
        self.edit(stars.iter().map(|(range, columns)| (range.clone(), spelt(columns))).collect());
        stars.into_iter().map(|(range, columns)| (range.start, columns.into_iter().map(|(_, name)| name).collect())).collect()
    }
}

impl Query<'_> {
    /// The tokens of the result `*` or `alias.*` that ends at `i`.
    fn star(&self, i: usize) -> Option<std::ops::Range<usize>> {
        let place = self.places[i].filter(|place| place.clause == Clause::Results && place.top)?;
        let ends = self.ends_item(i + 1);
        (self.is(i, "*") && place.top && ends && self.starts_item(i)).then(|| self.path_start(i)..i + 1)
    }

    /// How each column is spelt, and what it is called.
    fn columns_of_star(&self, i: usize, columns_of: ColumnsOf) -> Option<Vec<(String, Name)>> {
        let select = self.places[i]?.select;
        let sources = &self.selects[select].sources;
        let columns = |source: &Source, qualifier: Option<String>| {
            let relation = source.relation.as_ref().filter(|_| !source.columns_aliased)?;
            let named = columns_of(relation)?.into_iter().map(|name| match &qualifier {
                Some(qualifier) => (format!("{qualifier}.{}", name.quoted()), name),
                None => (name.quoted(), name),
            });
            Some(named.collect::<Vec<_>>()).filter(|columns| !columns.is_empty())
        };
        if let Some((schema, called)) = self.qualifier(i) {
            let of_schema = |source: &Source| {
                schema.is_none_or(|schema| !source.aliased && source.relation.as_ref().is_some_and(|it| it.schema == *schema))
            };
            let source = sources.iter().find(|source| source.called == called && of_schema(source))?;
            let qualifier = schema.into_iter().chain([called]).map(quote_identifier).collect::<Vec<_>>().join(".");
            return columns(source, Some(qualifier));
        }
        if let [source] = sources.as_slice() {
            return columns(source, None);
        }
        // a column that two tables are joined by is there once
        let joined_by_name = (0..self.tokens.len()).any(|i| {
            let in_from = self.places[i].is_some_and(|place| place.select == select && place.clause == Clause::From);
            in_from && matches!(self.token(i), Some(Token::Word(word)) if word == "using" || word == "natural")
        });
        if joined_by_name {
            return None;
        }
        let each = sources.iter().map(|source| columns(source, Some(quote_identifier(&source.called))));
        each.collect::<Option<Vec<_>>>().map(|columns| columns.concat()).filter(|columns| !columns.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(sql: &str) -> String {
        let columns = |relation: &QualifiedName| match relation.name.as_str() {
            "documents" => Some(vec![Name::new("id"), Name::new("Title")]),
            "users" => Some(vec![Name::new("id"), Name::new("name")]),
            _ => None,
        };
        let mut query = Expression::new(sql);
        query.expand_stars(&columns);
        query.sql().to_owned()
    }

    #[test]
    fn stars_are_the_columns_of_the_moment() {
        for (written, kept) in [
            ("select * from documents", "select id, \"Title\" from documents"),
            ("select d.*, 1 as one from documents d", "select d.id, d.\"Title\", 1 as one from documents d"),
            (
                "select distinct on (d.id) * from documents d join users on true",
                "select distinct on (d.id) d.id, d.\"Title\", users.id, users.name from documents d join users on true",
            ),
            ("select public.users.* from public.users", "select public.users.id, public.users.name from public.users"),
            (
                "select m.* from users u left join lateral (select documents.* from documents) m on true",
                "select m.* from users u left join lateral (select documents.id, documents.\"Title\" from documents) m on true",
            ),
            ("select * from users union all select * from users", "select id, name from users union all select id, name from users"),
            (
                "select d.*, count(*) from documents d where exists (select * from users) group by 1, 2",
                "select d.id, d.\"Title\", count(*) from documents d where exists (select id, name from users) group by 1, 2",
            ),
        ] {
            assert_eq!(expanded(written), kept);
        }
    }

    #[test]
    fn what_is_not_certain_stays() {
        for written in [
            "select * from documents join users using (id)",
            "select * from documents natural join users",
            "select * from nobody",
            "select * from documents, nobody",
            "select * from documents as d (a, b)",
            "select count(*), 2 * 3, id * 2 from users",
            "with documents as (select 1 as one) select * from documents",
            "select * from generate_series(1, 2)",
            "select *",
            "*",
        ] {
            assert_eq!(expanded(written), written);
        }
    }
}
