//! Which column an identifier of a query stands for.

use super::HasColumn;
use super::scopes::{CLAUSES, Clause, Place, Query, Source};
use crate::expression::tokens::Token;
use crate::expression::{NOT_COLUMNS, is_column};
use crate::name::QualifiedName;
use std::ops::Range;

/// Words behind which a value stands, besides those that are no columns themselves.
const BEFORE_VALUES: &[&str] = &["by", "filter", "having", "limit", "offset", "on", "over", "partition", "where"];

/// The second and later words of types.
const TYPE_WORDS: &[&str] = &["precision", "time", "varying", "with", "without", "zone"];

impl Query<'_> {
    /// Whether token `i` is `column` of `relation`.
    pub(super) fn refers_to(&self, i: usize, relation: &QualifiedName, column: &str, has_column: HasColumn) -> bool {
        let Some(place) = self.places[i] else { return false };
        if place.clause == Clause::Start || !is_column(self.tokens, i, column) || self.is_alias(i) {
            return false;
        }
        if place.in_using {
            return self.selects[place.select].sources.iter().any(|source| source.relation.as_ref() == Some(relation));
        }
        match self.qualifier(i) {
            Some((schema, called)) => self.resolves_qualified(place, schema, called, relation),
            None => self.resolves(place, relation, column, has_column),
        }
    }

    /// Whether token `i` may be a column of that name, of whatever relation it can see.
    pub(super) fn refers_to_any(&self, i: usize, column: &str, has_column: HasColumn) -> bool {
        let mut select = self.places[i].map(|place| place.select);
        while let Some(current) = select.and_then(|index| self.selects.get(index)) {
            let has = |source: &Source| source.relation.as_ref().is_none_or(|relation| has_column(relation, column) == Some(true));
            if current.sources.iter().any(has) {
                return true;
            }
            select = current.outer;
        }
        false
    }

    /// Whether token `i` stands in `using (…)`.
    pub(super) fn joins_by_name(&self, i: usize) -> bool {
        self.places[i].is_some_and(|place| place.in_using)
    }

    /// Whether token `i` is a whole key of `order by` and the name of a result.
    pub(super) fn sorts_by_result(&self, i: usize, column: &str) -> bool {
        let Some(place) = self.places[i].filter(|place| place.clause == Clause::Order && place.top) else { return false };
        let starts = self.is_word(i.wrapping_sub(1), &["by"]) || self.is(i.wrapping_sub(1), ",");
        let after = i + 1;
        let ends = self.ends_item(after) || self.is_word(after, &["asc", "desc", "nulls"]);
        let outer = self.selects[place.select].outer;
        let is_result = |i: usize| {
            let same_query = self.places[i].is_some_and(|other| {
                let sibling = other.select == place.select || (self.selects[other.select].outer == outer && other.select < place.select);
                sibling && other.clause == Clause::Results && other.top
            });
            let named = matches!(self.token(i), Some(Token::Word(text) | Token::Quoted(text)) if text == column);
            same_query && named && (self.is_alias(i) || self.is_word(i.wrapping_sub(1), &["as"]) || self.end_of_bare_target(i).is_some())
        };
        starts && ends && (0..self.tokens.len()).any(is_result)
    }

    /// Where the result ends that is nothing but the column at `i`, perhaps cast: it gets its name from it.
    pub(super) fn end_of_bare_target(&self, i: usize) -> Option<usize> {
        self.places[i].filter(|place| place.clause == Clause::Results && place.top)?;
        let mut end = i + 1;
        while self.is(end, "::") {
            end = self.skip_type(end + 1);
        }
        (self.starts_item(i) && self.ends_item(end)).then(|| self.tokens[end - 1].1.end)
    }

    /// Where the result ends that is nothing but the column at `i` with the name `alias`.
    pub(super) fn end_of_target_called(&self, i: usize, alias: &str) -> Option<usize> {
        self.places[i].filter(|place| place.clause == Clause::Results && place.top)?;
        let named = matches!(self.token(i + 2), Some(Token::Word(text) | Token::Quoted(text)) if text == alias);
        (self.is_word(i + 1, &["as"]) && named && self.starts_item(i) && self.ends_item(i + 3)).then(|| self.tokens[i + 2].1.end)
    }

    pub(super) fn starts_item(&self, i: usize) -> bool {
        let Some(before) = self.path_start(i).checked_sub(1) else { return false };
        self.is_word(before, &["select", "distinct", "all"]) || self.is(before, ",") || self.closes_distinct_on(before)
    }

    pub(super) fn ends_item(&self, i: usize) -> bool {
        self.token(i).is_none() || self.is(i, ",") || self.is(i, ")") || self.is_word(i, CLAUSES)
    }

    /// Whether token `i` gives a name to the value before it, without `as`.
    fn is_alias(&self, i: usize) -> bool {
        let Some(before) = i.checked_sub(1) else { return false };
        match self.token(before) {
            Some(Token::Word(word)) => ![NOT_COLUMNS, BEFORE_VALUES, CLAUSES].iter().any(|words| words.contains(&word.as_str())),
            Some(Token::Quoted(_) | Token::String(_) | Token::Number(_)) => true,
            Some(token) => (token.is(")") && !self.closes_distinct_on(before)) || token.is("]"),
            None => false,
        }
    }

    /// Whether token `i` is the last one of `distinct on (…)`.
    fn closes_distinct_on(&self, i: usize) -> bool {
        let mut depth = 0_u32;
        for open in (0..=i).rev() {
            if self.is(open, ")") {
                depth += 1;
            } else if self.is(open, "(") {
                depth = depth.saturating_sub(1);
            }
            if depth == 0 {
                return open >= 2 && self.is(i, ")") && self.is_word(open - 1, &["on"]) && self.is_word(open - 2, &["distinct"]);
            }
        }
        false
    }

    fn skip_type(&self, mut i: usize) -> usize {
        i += 1;
        while self.is(i, ".") {
            i += 2;
        }
        loop {
            if self.is_word(i, TYPE_WORDS) {
                i += 1;
            } else if self.is(i, "(") || self.is(i, "[") {
                let close = if self.is(i, "(") { ")" } else { "]" };
                while i < self.tokens.len() && !self.is(i, close) {
                    i += 1;
                }
                i += 1;
            } else {
                return i.min(self.tokens.len());
            }
        }
    }

    /// The first token of `schema.table.column`, of which `i` is the last.
    pub(super) fn path_start(&self, mut i: usize) -> usize {
        while i >= 2 && self.is(i - 1, ".") && matches!(self.token(i - 2), Some(Token::Word(_) | Token::Quoted(_))) {
            i -= 2;
        }
        i
    }

    /// What the column at `i` is qualified with: a table or an alias, and perhaps a schema.
    pub(super) fn qualifier(&self, i: usize) -> Option<(Option<&str>, &str)> {
        let text = |i: usize| match self.token(i) {
            Some(Token::Word(text) | Token::Quoted(text)) => Some(text.as_str()),
            _ => None,
        };
        let start = self.path_start(i);
        if start == i {
            return None;
        }
        Some(((i - start >= 4).then(|| text(i - 4)).flatten(), text(i - 2)?))
    }

    /// The tokens with which column `i` names the source of `select` at `path`, where it does.
    pub(super) fn qualifier_of(&self, i: usize, select: usize, path: &Range<usize>) -> Option<Range<usize>> {
        let place = self.places[i]?;
        let (schema, called) = self.qualifier(i)?;
        let (found, source) = self.qualified_source(place, schema, called)?;
        (found == select && source.path == *path).then(|| self.path_start(i)..i - 1)
    }

    /// Whether some select uses `name` as a value where it can't be a column: a whole row.
    pub(super) fn uses_whole_row(&self, name: &str, is_column: impl Fn(usize) -> bool) -> bool {
        (0..self.tokens.len()).any(|i| {
            let named = matches!(self.token(i), Some(Token::Word(text) | Token::Quoted(text)) if text == name);
            let value = self.places[i].is_some_and(|place| place.clause != Clause::Start);
            named
                && value
                && !self.is(i + 1, ".")
                && !self.is_alias(i)
                && self.path_start(i) == i
                && !self.is_word(i.wrapping_sub(1), &["as"])
                && !self.is(i + 1, "(")
                && !is_column(i)
        })
    }

    fn qualified_source(&self, place: Place, schema: Option<&str>, called: &str) -> Option<(usize, &Source)> {
        let mut select = Some(place.select);
        while let Some((index, current)) = select.and_then(|index| Some((index, self.selects.get(index)?))) {
            let source = current.sources.iter().find(|source| {
                let of_schema =
                    schema.is_none_or(|schema| !source.aliased && source.relation.as_ref().is_some_and(|it| it.schema == *schema));
                source.called == called && of_schema
            });
            if let Some(source) = source {
                return Some((index, source));
            }
            select = current.outer;
        }
        None
    }

    fn resolves_qualified(&self, place: Place, schema: Option<&str>, called: &str, relation: &QualifiedName) -> bool {
        self.qualified_source(place, schema, called)
            .is_some_and(|(_, source)| source.relation.as_ref() == Some(relation) && !source.columns_aliased)
    }

    /// An unqualified name belongs to the innermost select that has such a column.
    fn resolves(&self, place: Place, relation: &QualifiedName, column: &str, has_column: HasColumn) -> bool {
        let mut select = Some(place.select);
        while let Some(current) = select.and_then(|index| self.selects.get(index)) {
            let is_it = |source: &Source| source.relation.as_ref() == Some(relation) && !source.columns_aliased;
            if current.sources.iter().any(is_it) {
                return true;
            }
            let may_have = |source: &Source| match &source.relation {
                Some(other) if !source.columns_aliased => has_column(other, column) != Some(false),
                _ => true,
            };
            if current.sources.iter().any(may_have) {
                return false;
            }
            select = current.outer;
        }
        false
    }
}
