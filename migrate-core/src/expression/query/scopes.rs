//! The scopes of a query: what each of its selects reads from, and to which of them a token belongs.

use crate::expression::tokens::{Spanned, Token};
use crate::name::QualifiedName;
use std::ops::Range;

/// A query, read.
pub(super) struct Query<'a> {
    pub(super) tokens: &'a [Spanned],
    /// The selects, subqueries too.
    pub(super) selects: Vec<Select>,
    /// Where each token stands; `None` for what names a relation or its alias.
    pub(super) places: Vec<Option<Place>>,
    /// The names that `with` gives.
    common: Vec<String>,
}

/// One `select`.
pub(super) struct Select {
    /// The select whose columns it sees besides its own.
    pub(super) outer: Option<usize>,
    pub(super) sources: Vec<Source>,
}

/// What stands in a `from`.
pub(super) struct Source {
    /// The relation; `None` for a subquery, a function, or what `with` defines.
    pub(super) relation: Option<QualifiedName>,
    /// The tokens of the relation's name.
    pub(super) path: Range<usize>,
    /// What its columns are qualified with.
    pub(super) called: String,
    /// Whether it was given another name than its own.
    pub(super) aliased: bool,
    /// Whether its columns were given other names, too.
    pub(super) columns_aliased: bool,
}

/// Where a token stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) select: usize,
    pub(super) clause: Clause,
    /// Whether no parenthesis of the select is open.
    pub(super) top: bool,
    /// Whether it is in the parentheses of `using`.
    pub(super) in_using: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clause {
    /// Before `select`.
    Start,
    /// The list of results.
    Results,
    From,
    Order,
    /// Any other.
    Other,
}

/// Why a parenthesis is open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Join,
    Using,
    Expression,
}

/// Words that may follow a relation or a result and are no alias.
pub(super) const CLAUSES: &[&str] = &[
    "cross",
    "except",
    "fetch",
    "for",
    "from",
    "full",
    "group",
    "having",
    "inner",
    "intersect",
    "join",
    "left",
    "limit",
    "natural",
    "offset",
    "on",
    "order",
    "right",
    "tablesample",
    "union",
    "using",
    "where",
    "window",
];

impl<'a> Query<'a> {
    pub(super) fn read(tokens: &'a [Spanned]) -> Self {
        let mut query = Self { tokens, selects: Vec::new(), places: vec![None; tokens.len()], common: Vec::new() };
        query.note_common_tables();
        query.scope(0, tokens.len(), None);
        query
    }

    /// The sources that are this relation, with their selects.
    pub(super) fn sources_of(&self, relation: &QualifiedName) -> impl Iterator<Item = (usize, &Source)> {
        let each = self.selects.iter().enumerate().flat_map(|(select, it)| it.sources.iter().map(move |source| (select, source)));
        each.filter(move |(_, source)| source.relation.as_ref() == Some(relation))
    }

    pub(super) fn token(&self, i: usize) -> Option<&Token> {
        self.tokens.get(i).map(|(token, _)| token)
    }

    pub(super) fn is_word(&self, i: usize, words: &[&str]) -> bool {
        matches!(self.token(i), Some(Token::Word(word)) if words.contains(&word.as_str()))
    }

    pub(super) fn is(&self, i: usize, punctuation: &str) -> bool {
        self.token(i).is_some_and(|token| token.is(punctuation))
    }

    fn identifier(&self, i: usize) -> Option<&str> {
        match self.token(i)? {
            Token::Word(text) | Token::Quoted(text) => Some(text),
            _ => None,
        }
    }

    /// The parenthesis that closes the one at `open`, or the end.
    fn closing(&self, open: usize) -> usize {
        let mut depth = 0_u32;
        for (i, (token, _)) in self.tokens.iter().enumerate().skip(open) {
            if token.is("(") {
                depth += 1;
            } else if token.is(")") {
                depth -= 1;
                if depth == 0 {
                    return i;
                }
            }
        }
        self.tokens.len()
    }

    /// `with a as (…), b (x, y) as materialized (…)`.
    fn note_common_tables(&mut self) {
        for i in 1..self.tokens.len() {
            let introduced = self.is_word(i - 1, &["with", "recursive"]) || self.is(i - 1, ",");
            let mut next = i + 1;
            if self.is(next, "(") {
                next = self.closing(next) + 1;
            }
            let defines = self.is_word(next, &["as"]);
            while defines && self.is_word(next, &["as", "not", "materialized"]) {
                next += 1;
            }
            if let Some(name) = self.identifier(i).filter(|_| introduced && defines && self.is(next, "(") && self.starts_query(next + 1)) {
                self.common.push(name.to_owned());
            }
        }
    }

    fn starts_query(&self, i: usize) -> bool {
        self.is_word(i, &["select", "with", "values", "table"])
    }

    fn open_select(&mut self, outer: Option<usize>) -> usize {
        self.selects.push(Select { outer, sources: Vec::new() });
        self.selects.len() - 1
    }

    /// Reads the selects between `start` and `end`, which `union` and its like stand between.
    fn scope(&mut self, start: usize, end: usize, outer: Option<usize>) {
        let mut select = self.open_select(outer);
        let mut clause = Clause::Start;
        let mut open: Vec<Open> = Vec::new();
        let mut expects_relation = false;
        let mut i = start;
        while i < end {
            let in_from = clause == Clause::From && open.iter().all(|open| *open == Open::Join);
            if self.is(i, "(") && self.starts_query(i + 1) {
                let close = self.closing(i).min(end);
                let stands_for_relation = in_from && expects_relation;
                let sees_siblings = !stands_for_relation || self.is_word(i.wrapping_sub(1), &["lateral"]);
                let seen = if clause == Clause::Start || !sees_siblings { outer } else { Some(select) };
                self.scope(i + 1, close, seen);
                i = close + 1;
                if stands_for_relation {
                    i = self.source(select, None, i);
                    expects_relation = false;
                }
                continue;
            }
            if in_from && expects_relation && self.identifier(i).is_some() && !self.is_word(i, &["only", "lateral", "rows"]) {
                i = self.relation(select, i);
                expects_relation = false;
                continue;
            }
            if self.is(i, "(") {
                open.push(match () {
                    () if in_from && expects_relation => Open::Join,
                    () if in_from && self.is_word(i.wrapping_sub(1), &["using"]) => Open::Using,
                    () => Open::Expression,
                });
            } else if self.is(i, ")") {
                open.pop();
            } else if in_from && (self.is(i, ",") || self.is_word(i, &["join"])) {
                expects_relation = true;
            } else if open.is_empty() {
                if self.is_word(i, &["union", "intersect", "except"]) {
                    select = self.open_select(outer);
                    clause = Clause::Start;
                } else if let Some(next) = self.clause_at(i) {
                    clause = next;
                    expects_relation = next == Clause::From;
                }
            }
            let in_using = open.last() == Some(&Open::Using);
            self.places[i] = Some(Place { select, clause, top: open.is_empty(), in_using });
            i += 1;
        }
    }

    /// The clause that begins with token `i`.
    fn clause_at(&self, i: usize) -> Option<Clause> {
        let distinct_from = i >= 2 && self.is_word(i - 1, &["distinct"]) && self.is_word(i - 2, &["is", "not"]);
        match self.token(i)? {
            Token::Word(word) => match word.as_str() {
                "select" | "values" => Some(Clause::Results),
                "from" if !distinct_from => Some(Clause::From),
                "order" => Some(Clause::Order),
                "where" | "group" | "having" | "window" | "limit" | "offset" | "fetch" => Some(Clause::Other),
                _ => None,
            },
            _ => None,
        }
    }

    /// Reads a relation or a function at `i`; the answer is the token behind it and its alias.
    fn relation(&mut self, select: usize, i: usize) -> usize {
        let qualified = self.is(i + 1, ".").then(|| self.identifier(i + 2)).flatten();
        let (name, after) = match (self.identifier(i), qualified) {
            (Some(schema), Some(name)) => (QualifiedName::new(schema, name), i + 3),
            (Some(name), None) => (QualifiedName::public(name), i + 1),
            (None, _) => return i + 1,
        };
        let is_function = self.is(after, "(");
        let is_common = qualified.is_none() && self.common.contains(&name.name.to_string());
        let relation = Some(name).filter(|_| !is_function && !is_common);
        let called = self.identifier(after - 1).unwrap_or_default().to_owned();
        if is_function {
            self.selects[select].sources.push(Source { relation, path: i..after, called, aliased: false, columns_aliased: false });
            return after;
        }
        let first = self.selects[select].sources.len();
        let before_alias = after;
        let after = self.source(select, relation, after);
        if let Some(source) = self.selects[select].sources.get_mut(first) {
            source.path = i..before_alias;
            if !source.aliased {
                source.called = called;
            }
        }
        after
    }

    /// Notes a source whose alias, if it has one, is at `i`; the answer is the token behind it.
    fn source(&mut self, select: usize, relation: Option<QualifiedName>, mut i: usize) -> usize {
        i += usize::from(self.is_word(i, &["as"]));
        let alias = match self.token(i) {
            Some(Token::Quoted(text)) => Some(text.clone()),
            Some(Token::Word(text)) if !CLAUSES.contains(&text.as_str()) => Some(text.clone()),
            _ => None,
        };
        let mut source = Source { relation, path: 0..0, called: String::new(), aliased: alias.is_some(), columns_aliased: false };
        if let Some(alias) = alias {
            source.called = alias;
            i += 1;
            if self.is(i, "(") {
                source.columns_aliased = true;
                i = self.closing(i) + 1;
            }
        }
        self.selects[select].sources.push(source);
        i
    }
}
