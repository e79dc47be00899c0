//! Which columns of which relation a query reads, and how its text follows the rename of one.
//!
//! Views outlive the names that they were written with, and the runtime has no parser: the clauses, the relations of each
//! `from` and the scopes of subqueries are read from the tokens.

mod references;
mod scopes;
mod stars;

use super::tokens::{Spanned, tokens};
use super::{Expression, quote_identifier};
use crate::name::{DEFAULT_SCHEMA, Name, QualifiedName};
use scopes::Query;
use std::ops::Range;

/// Whether a relation has a column; `None` where its columns aren't known.
pub(crate) type HasColumn<'a> = &'a dyn Fn(&QualifiedName, &str) -> Option<bool>;

impl Expression {
    /// Whether the query reads the column by its name. What `*` stands for was decided when the view was created.
    pub(crate) fn query_reads(&self, relation: &QualifiedName, column: &str, has_column: HasColumn) -> bool {
        let tokens = tokens(&self.sql);
        let query = Query::read(&tokens);
        (0..tokens.len()).any(|i| query.refers_to(i, relation, column, has_column))
    }

    /// The relations that the query and its subqueries read, in their order.
    pub(crate) fn query_relations(&self) -> Vec<QualifiedName> {
        let tokens = tokens(&self.sql);
        let query = Query::read(&tokens);
        let mut sources: Vec<_> = query.selects.iter().flat_map(|select| &select.sources).collect();
        sources.sort_by_key(|source| source.path.start);
        sources.into_iter().filter_map(|source| source.relation.clone()).collect()
    }

    /// Whether the query, or a subquery in it, reads the relation.
    pub(crate) fn query_reads_from(&self, relation: &QualifiedName) -> bool {
        let tokens = tokens(&self.sql);
        Query::read(&tokens).sources_of(relation).next().is_some()
    }

    /// Whether there is a subquery in the expression.
    #[must_use]
    pub fn has_subquery(&self) -> bool {
        tokens(&self.sql).iter().any(|(token, _)| token.is_word("select"))
    }

    /// Follows the rename of a column of a relation. The columns of the query itself keep their names, as PostgreSQL
    /// keeps those of a view.
    pub(crate) fn rename_query_column(&mut self, relation: &QualifiedName, from: &Name, to: &Name, has_column: HasColumn) {
        let tokens = tokens(&self.sql);
        let query = Query::read(&tokens);
        let mut edits = Vec::new();
        for i in (0..tokens.len()).filter(|&i| query.refers_to(i, relation, from.as_str(), has_column)) {
            // a join by name has no words for two names, and a key may be the name of a result
            if query.joins_by_name(i) || query.sorts_by_result(i, from.as_str()) {
                continue;
            }
            if let Some(end) = query.end_of_target_called(i, to.as_str()) {
                edits.push((tokens[i].1.start..end, to.quoted()));
                continue;
            }
            edits.push((tokens[i].1.clone(), to.quoted()));
            if let Some(end) = query.end_of_bare_target(i) {
                edits.push((end..end, format!(" as {}", quote_identifier(from.as_str()))));
            }
        }
        self.edit(edits);
    }

    /// Follows the rename of a relation, as PostgreSQL prints a query that reads it: under the new name, with the columns
    /// that were qualified with the old one. Where something else is called by the new name already, or the old one
    /// stands for a whole row, the relation goes on being called by the old one.
    pub(crate) fn rename_relation(&mut self, from: &QualifiedName, to: &QualifiedName, has_column: HasColumn) {
        let tokens = tokens(&self.sql);
        let query = Query::read(&tokens);
        let is_column = |i: usize| query.refers_to_any(i, from.name.as_str(), has_column);
        let whole_row = query.uses_whole_row(from.name.as_str(), is_column);
        let mut edits = Vec::new();
        for (select, source) in query.sources_of(from) {
            let qualified = source.path.len() > 1;
            let with_schema = to.schema.as_str() != DEFAULT_SCHEMA || (qualified && from.schema == to.schema);
            let name = if with_schema { to.quoted() } else { to.name.quoted() };
            let taken = query.selects.iter().flat_map(|it| &it.sources).any(|other| other.called == to.name.as_str());
            let keeps_name = !source.aliased && from.name != to.name && (taken || whole_row);
            let alias = if keeps_name { format!(" as {}", from.name.quoted()) } else { String::new() };
            edits.push((span(&tokens, &source.path), format!("{name}{alias}")));
            let qualifiers = (0..tokens.len()).filter_map(|i| query.qualifier_of(i, select, &source.path));
            for qualifier in qualifiers.filter(|_| !source.aliased && !keeps_name) {
                let name = if qualifier.len() > 1 { to.quoted() } else { to.name.quoted() };
                edits.push((span(&tokens, &qualifier), name));
            }
        }
        self.edit(edits);
    }

    fn edit(&mut self, mut edits: Vec<(Range<usize>, String)>) {
        edits.sort_by_key(|(range, _)| range.start);
        for (range, text) in edits.into_iter().rev() {
            self.sql.replace_range(range, &text);
        }
    }
}

/// The bytes from the first to the last of some tokens.
fn span(tokens: &[Spanned], range: &Range<usize>) -> Range<usize> {
    tokens[range.start].1.start..tokens[range.end - 1].1.end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has_column(relation: &QualifiedName, column: &str) -> Option<bool> {
        match relation.name.as_str() {
            "documents" => Some(["id", "title", "owner_id"].contains(&column)),
            "users" => Some(["id", "name"].contains(&column)),
            "books" => Some(["id", "title"].contains(&column)),
            _ => None,
        }
    }

    fn renamed(sql: &str) -> String {
        let mut query = Expression::new(sql);
        query.rename_query_column(&QualifiedName::public("documents"), &Name::new("title"), &Name::new("heading"), &has_column);
        query.sql().to_owned()
    }

    fn check(cases: &[(&str, &str)]) {
        for (before, after) in cases {
            assert_eq!(renamed(before), *after);
        }
    }

    #[test]
    fn results_keep_their_names() {
        check(&[
            ("select title from documents", "select heading as title from documents"),
            ("select id, d.title from documents d", "select id, d.heading as title from documents d"),
            ("select title as t, title t2 from documents", "select heading as t, heading t2 from documents"),
            (
                "select title::varchar(50), lower(title) from documents",
                "select heading::varchar(50) as title, lower(heading) from documents",
            ),
            ("select distinct on (title) title from documents", "select distinct on (heading) heading as title from documents"),
            ("select public.documents.title from documents", "select public.documents.heading as title from documents"),
            ("select id as title from documents", "select id as title from documents"),
        ]);
    }

    #[test]
    fn the_way_back_leads_to_the_same_text() {
        for written in [
            "select title from documents",
            "select d.title, id from documents d order by title",
            "select 1 from documents where title = ''",
        ] {
            let mut query = Expression::new(written);
            let (documents, title, heading) = (QualifiedName::public("documents"), Name::new("title"), Name::new("heading"));
            query.rename_query_column(&documents, &title, &heading, &has_column);
            query.rename_query_column(&documents, &heading, &title, &has_column);
            assert_eq!(query.sql(), written);
        }
    }

    #[test]
    fn clauses_follow() {
        check(&[
            (
                "select id from documents where title <> 'title' and title is distinct from ''",
                "select id from documents where heading <> 'title' and heading is distinct from ''",
            ),
            (
                "select title, count(*) from documents group by title order by title",
                "select heading as title, count(*) from documents group by heading order by title",
            ),
            ("select id from documents order by title", "select id from documents order by heading"),
            (
                "select id from documents having max(title) > '' order by lower(title)",
                "select id from documents having max(heading) > '' order by lower(heading)",
            ),
        ]);
    }

    #[test]
    fn columns_of_other_relations_stay() {
        check(&[
            (
                "select b.title from documents d join books b on b.title = d.title",
                "select b.title from documents d join books b on b.title = d.heading",
            ),
            ("select title from books", "select title from books"),
            ("select title from archive.documents", "select title from archive.documents"),
            (
                "select u.name, title from users u, documents where owner_id = u.id",
                "select u.name, heading as title from users u, documents where owner_id = u.id",
            ),
            ("select id from documents join books using (id, title)", "select id from documents join books using (id, title)"),
        ]);
    }

    #[test]
    fn scopes_of_subqueries_are_kept_apart() {
        check(&[
            (
                "select s.title, title from (select title from documents) s",
                "select s.title, title from (select heading as title from documents) s",
            ),
            (
                "with d as (select title from documents) select title from d",
                "with d as (select heading as title from documents) select title from d",
            ),
            (
                "with documents as (select 1 as title) select title from documents",
                "with documents as (select 1 as title) select title from documents",
            ),
            (
                "select (select name from users where name = title) from documents",
                "select (select name from users where name = heading) from documents",
            ),
            (
                "select id from documents d where exists (select 1 from books where title = d.title)",
                "select id from documents d where exists (select 1 from books where title = d.heading)",
            ),
            (
                "select title from documents union select title from books order by title",
                "select heading as title from documents union select title from books order by title",
            ),
            (
                "select title from (documents d join users u on u.id = d.owner_id)",
                "select heading as title from (documents d join users u on u.id = d.owner_id)",
            ),
        ]);
    }

    fn moved(sql: &str, from: &QualifiedName, to: &QualifiedName) -> String {
        let mut query = Expression::new(sql);
        query.rename_relation(from, to, &has_column);
        query.sql().to_owned()
    }

    #[test]
    fn a_renamed_relation_is_read_by_its_new_name() {
        let (documents, papers) = (QualifiedName::public("documents"), QualifiedName::public("papers"));
        for (before, after) in [
            ("select id, documents.title from documents", "select id, papers.title from papers"),
            ("select public.documents.id from public.documents", "select public.papers.id from public.papers"),
            ("select d.id from documents d, users", "select d.id from papers d, users"),
            (
                "select documents.id from documents join books papers on true",
                "select documents.id from papers as documents join books papers on true",
            ),
            ("select count(documents) from documents", "select count(documents) from papers as documents"),
            (
                "select id from documents where exists (select 1 from users where users.id = documents.owner_id)",
                "select id from papers where exists (select 1 from users where users.id = papers.owner_id)",
            ),
            ("select documents.* from documents", "select papers.* from papers"),
            (
                "with documents as (select 1) select documents.id from documents",
                "with documents as (select 1) select documents.id from documents",
            ),
            ("select documents from books documents", "select documents from books documents"),
        ] {
            assert_eq!(moved(before, &documents, &papers), after);
        }
        let written = "select id, documents.title from documents";
        assert_eq!(moved(&moved(written, &documents, &papers), &papers, &documents), written);
    }

    #[test]
    fn a_relation_that_moves_keeps_its_name() {
        let (here, there) = (QualifiedName::public("documents"), QualifiedName::new("archive", "documents"));
        let written = "select documents.id, d.id from documents, documents d";
        let after = "select documents.id, d.id from archive.documents, archive.documents d";
        assert_eq!(moved(written, &here, &there), after);
        assert_eq!(moved(after, &there, &here), written);
    }

    #[test]
    fn reading_is_told_from_naming() {
        let reads = |sql: &str| Expression::new(sql).query_reads(&QualifiedName::public("documents"), "title", &has_column);
        assert!(reads("select 1 from documents where title = ''"));
        assert!(reads("select 1 from documents join books using (title)"));
        assert!(!reads("select id as title from documents"));
        assert!(!reads("select * from documents"));
        assert!(!reads("select 'title', title(id) from documents"));
    }

    #[test]
    fn never_panics_on_odd_text() {
        for text in
            ["", "(", ")", "select", "select from", "from (", "with x as", "title", "select title from documents as", "union (((", "a."]
        {
            let _ = (renamed(text), moved(text, &QualifiedName::public("a"), &QualifiedName::public("b")));
        }
    }
}
