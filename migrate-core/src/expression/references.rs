//! What an expression refers to besides columns: types, sequences, relations, values of enums.

use super::tokens::{Spanned, tokens};
use super::{Expression, Token};
use crate::name::{DEFAULT_SCHEMA, QualifiedName, quote_literal};
use std::ops::Range;

impl Expression {
    /// Follows the rename of a type in its casts: `'new'::status`, `cast(x as status)`.
    pub fn rename_type(&mut self, from: &QualifiedName, to: &QualifiedName) {
        let tokens = tokens(&self.sql);
        let starts = (0..tokens.len()).filter(|&i| tokens[i].0.is("::") || is_as_of_cast(&tokens, i));
        let paths = starts.filter_map(|i| path(&tokens, i + 1)).filter(|path| path.name == *from);
        let replacements: Vec<_> = paths.map(|path| (path.place.clone(), path.respelt(to))).collect();
        self.replace(replacements);
    }

    /// Replaces a string literal, wherever it stands.
    pub fn rename_literal(&mut self, from: &str, to: &str) {
        let tokens = tokens(&self.sql);
        let literals = tokens.iter().filter(|(token, _)| matches!(token, Token::String(text) if text == from));
        let replacements: Vec<_> = literals.map(|(_, place)| (place.clone(), quote_literal(to))).collect();
        self.replace(replacements);
    }

    /// The sequences that it takes values from: `nextval('a_id_seq')`.
    #[must_use]
    pub fn sequences(&self) -> Vec<QualifiedName> {
        sequence_literals(&tokens(&self.sql)).map(|path| path.name).collect()
    }

    /// Follows the rename of a sequence.
    pub fn rename_sequence(&mut self, from: &QualifiedName, to: &QualifiedName) {
        let tokens = tokens(&self.sql);
        let literals = sequence_literals(&tokens).filter(|path| path.name == *from);
        let replacements: Vec<_> = literals.map(|path| (path.place.clone(), quote_literal(&path.respelt(to)))).collect();
        self.replace(replacements);
    }

    /// Follows the rename of a relation in a query: where it is read, and where it qualifies a column.
    pub fn rename_relation(&mut self, from: &QualifiedName, to: &QualifiedName) {
        let tokens = tokens(&self.sql);
        let from_name = from.name.as_str();
        let is_from = |i: usize| matches!(tokens.get(i), Some((Token::Word(text) | Token::Quoted(text), _)) if text == from_name);
        let is = |i: usize, mark: &str| tokens.get(i).is_some_and(|(token, _)| token.is(mark));
        // a common table expression of that name hides the relation
        let hidden = (0..tokens.len()).any(|i| is_from(i) && is_common_table(&tokens, i));
        let mut replacements = Vec::new();
        let mut reads_by_name = false;
        for i in (0..tokens.len()).filter(|&i| stands_for_relation(&tokens, i)) {
            let Some(path) = path(&tokens, i).filter(|path| path.name == *from && (path.qualified || !hidden)) else { continue };
            let behind = if path.qualified { i + 3 } else { i + 1 };
            if is(behind, "(") || is(behind, ".") {
                continue;
            }
            reads_by_name |= alias(&tokens, behind).is_none();
            replacements.push((path.place.clone(), path.respelt(to)));
        }
        let another = (0..tokens.len()).any(|i| stands_for_relation(&tokens, i) && alias_behind(&tokens, i).is_some_and(is_from));
        for i in (0..tokens.len()).filter(|&i| reads_by_name && !another && is_from(i) && is(i + 1, ".")) {
            if stands_for_relation(&tokens, i) {
                continue;
            }
            let qualified = i >= 2 && is(i - 1, ".");
            let place = tokens[if qualified { i - 2 } else { i }].1.start..tokens[i].1.end;
            let path = Path { name: from.clone(), qualified, place: place.clone() };
            if !qualified || path_schema(&tokens, i - 2) == Some(from.schema.as_str()) {
                replacements.push((place, path.respelt(to)));
            }
        }
        replacements.sort_by_key(|(place, _)| place.start);
        self.replace(replacements);
    }

    fn replace(&mut self, replacements: Vec<(Range<usize>, String)>) {
        for (place, with) in replacements.into_iter().rev() {
            self.sql.replace_range(place, &with);
        }
    }
}

/// Words that may follow a relation in a query and are no alias.
const CLAUSES: &[&str] = &[
    "where",
    "group",
    "having",
    "window",
    "union",
    "intersect",
    "except",
    "order",
    "limit",
    "offset",
    "fetch",
    "for",
    "on",
    "using",
    "join",
    "inner",
    "left",
    "right",
    "full",
    "cross",
    "natural",
    "tablesample",
];

/// Whether a relation may stand at token `i`.
fn stands_for_relation(tokens: &[Spanned], i: usize) -> bool {
    match i.checked_sub(1).map(|before| &tokens[before].0) {
        Some(Token::Word(word)) => matches!(word.as_str(), "from" | "join" | "only" | "table" | "lateral"),
        Some(token) => token.is(",") && in_from_list(tokens, i),
        None => false,
    }
}

/// The token that is the alias of a relation whose name ends before token `i`.
fn alias(tokens: &[Spanned], i: usize) -> Option<usize> {
    let written = if tokens.get(i).is_some_and(|(token, _)| token.is_word("as")) { i + 1 } else { i };
    match &tokens.get(written)?.0 {
        Token::Word(word) if CLAUSES.contains(&word.as_str()) => None,
        Token::Word(_) | Token::Quoted(_) => Some(written),
        _ => None,
    }
}

/// The alias of the relation at token `i`.
fn alias_behind(tokens: &[Spanned], i: usize) -> Option<usize> {
    let behind = if path(tokens, i)?.qualified { i + 3 } else { i + 1 };
    alias(tokens, behind)
}

/// Whether token `i` names a common table expression: `name as (`, `name (…) as (`.
fn is_common_table(tokens: &[Spanned], i: usize) -> bool {
    let starts = i.checked_sub(1).is_some_and(|before| {
        let before = &tokens[before].0;
        before.is_word("with") || before.is_word("recursive") || before.is(",")
    });
    let is = |i: usize, mark: &str| tokens.get(i).is_some_and(|(token, _)| token.is(mark));
    let mut next = i + 1;
    if is(next, "(") {
        next += tokens[next..].iter().position(|(token, _)| token.is(")")).unwrap_or(tokens.len()) + 1;
    }
    let as_query = tokens.get(next).is_some_and(|(token, _)| token.is_word("as"))
        && (is(next + 1, "(") || tokens.get(next + 1).is_some_and(|(token, _)| token.is_word("materialized") || token.is_word("not")));
    starts && as_query
}

fn path_schema(tokens: &[Spanned], i: usize) -> Option<&str> {
    match &tokens.get(i)?.0 {
        Token::Word(text) | Token::Quoted(text) => Some(text),
        _ => None,
    }
}

/// Whether the last clause that was opened on the same level before `i` is `from`.
fn in_from_list(tokens: &[Spanned], i: usize) -> bool {
    let mut depth = 0_u32;
    for (token, _) in tokens[..i].iter().rev() {
        match token {
            token if token.is(")") => depth += 1,
            token if token.is("(") => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return false,
            },
            Token::Word(word) if depth == 0 => match word.as_str() {
                "from" => return true,
                "select" | "where" | "group" | "order" | "having" | "limit" | "on" | "values" => return false,
                _ => {}
            },
            _ => {}
        }
    }
    false
}

/// Whether token `i` is the `as` of `cast(… as …)`.
fn is_as_of_cast(tokens: &[Spanned], i: usize) -> bool {
    if !tokens[i].0.is_word("as") {
        return false;
    }
    let mut depth = 0_u32;
    for before in (0..i).rev() {
        if tokens[before].0.is(")") {
            depth += 1;
        } else if tokens[before].0.is("(") {
            match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return before > 0 && tokens[before - 1].0.is_word("cast"),
            }
        }
    }
    false
}

/// A name in an expression.
struct Path {
    name: QualifiedName,
    /// Whether its schema was written.
    qualified: bool,
    place: Range<usize>,
}

impl Path {
    /// Another name, qualified where this one is.
    fn respelt(&self, to: &QualifiedName) -> String {
        if self.qualified || to.schema.as_str() != DEFAULT_SCHEMA { to.quoted() } else { to.name.quoted() }
    }
}

/// The name that starts at token `i`.
fn path(tokens: &[Spanned], i: usize) -> Option<Path> {
    let part = |i: usize| match tokens.get(i) {
        Some((Token::Word(text) | Token::Quoted(text), place)) => Some((text.clone(), place.clone())),
        _ => None,
    };
    let (first, place) = part(i)?;
    Some(match part(i + 2).filter(|_| tokens[i + 1].0.is(".")) {
        Some((second, end)) => Path { name: QualifiedName::new(first, second), qualified: true, place: place.start..end.end },
        None => Path { name: QualifiedName::public(first), qualified: false, place },
    })
}

/// The string literals that name a sequence.
fn sequence_literals(all: &[Spanned]) -> impl Iterator<Item = Path> + use<'_> {
    all.windows(3).filter_map(|window| {
        let [(Token::Word(function), _), (open, _), (Token::String(text), place)] = window else { return None };
        let takes_sequence = matches!(function.as_str(), "nextval" | "currval" | "setval");
        let named = path(&tokens(text), 0)?;
        (takes_sequence && open.is("(") && named.place.end == text.len()).then(|| Path { place: place.clone(), ..named })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(schema: &str, name: &str) -> QualifiedName {
        QualifiedName::new(schema, name)
    }

    #[test]
    fn renames_the_type_of_a_cast() {
        let mut expression = Expression::new("'status'::status or x = cast('a' as public.status) and status = 'b'::app.status as status");
        expression.rename_type(&name("public", "status"), &name("public", "state"));
        assert_eq!(expression.sql(), "'status'::state or x = cast('a' as public.state) and status = 'b'::app.status as status");
    }

    #[test]
    fn finds_and_renames_sequences() {
        let mut expression = Expression::new("nextval('public.\"Odd\"'::regclass) + nextval('a_seq') || 'a_seq'");
        assert_eq!(expression.sequences(), [name("public", "Odd"), name("public", "a_seq")]);
        expression.rename_sequence(&name("public", "a_seq"), &name("public", "b_seq"));
        assert_eq!(expression.sql(), "nextval('public.\"Odd\"'::regclass) + nextval('b_seq') || 'a_seq'");
    }

    #[test]
    fn renames_relations_where_they_are_read_and_where_they_qualify() {
        let written =
            "select a.id, items, items.x, public.items.y from items, public.items b join other on items.id = (select 1 from items)";
        let (items, things) = (name("public", "items"), name("public", "things"));
        let mut query = Expression::new(written);
        query.rename_relation(&items, &things);
        assert_eq!(
            query.sql(),
            "select a.id, items, things.x, public.things.y from things, public.things b join other on things.id = (select 1 from things)"
        );
        query.rename_relation(&things, &items);
        assert_eq!(query.sql(), written);
    }

    #[test]
    fn aliases_and_common_tables_hide_a_relation() {
        let (items, things) = (name("public", "items"), name("public", "things"));
        for (written, renamed) in [
            (
                "with items as (select 1 from public.items) select items.a from items",
                "with items as (select 1 from public.things) select items.a from items",
            ),
            ("select items.a from items x, other items", "select items.a from things x, other items"),
            ("select items(1), extract(year from now())", "select items(1), extract(year from now())"),
        ] {
            let mut query = Expression::new(written);
            query.rename_relation(&items, &things);
            assert_eq!(query.sql(), renamed);
        }
    }
}
