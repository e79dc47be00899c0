//! What an expression refers to besides columns: types, sequences, values of enums.

use super::tokens::{Spanned, tokens};
use super::{Expression, Token};
use crate::name::{At, DEFAULT_SCHEMA, Name, QualifiedName, quote_literal};
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

    /// Follows the rename of the table that the expression belongs to: its columns may be qualified with the name.
    pub fn rename_qualifier(&mut self, from: &QualifiedName, to: &QualifiedName) {
        let tokens = tokens(&self.sql);
        let spelt = |path: &Path| if path.qualified { to.quoted() } else { to.name.quoted() };
        let replacements = qualifiers(&tokens, from).map(|(path, _)| (path.place.clone(), spelt(&path))).collect();
        self.replace(replacements);
    }

    /// Leaves the name of the table that it belongs to out of its columns: what has no room for another name of the table.
    pub fn drop_qualifier(&mut self, table: &QualifiedName) {
        let tokens = tokens(&self.sql);
        let replacements = qualifiers(&tokens, table).map(|(path, end)| (path.place.start..end, String::new())).collect();
        self.replace(replacements);
    }

    /// Whether it calls a function of that name.
    #[must_use]
    pub fn calls(&self, function: &QualifiedName) -> bool {
        calls(&tokens(&self.sql)).iter().any(|path| path.name == *function)
    }

    /// Follows the rename of a function.
    pub fn rename_function(&mut self, from: &QualifiedName, to: &QualifiedName) {
        let calls = calls(&tokens(&self.sql)).into_iter().filter(|path| path.name == *from);
        // what has to be qualified in one schema needn't be in the other
        let comes_home = from.schema != to.schema && to.schema.as_str() == DEFAULT_SCHEMA;
        let spelt = |path: &Path| if comes_home { to.name.quoted() } else { path.respelt(to) };
        let replacements = calls.map(|path| (path.place.clone(), spelt(&path))).collect();
        self.replace(replacements);
    }

    /// The columns of the rows `old` and `new` that the condition of a trigger reads, each where it is written.
    #[must_use]
    pub fn row_columns(&self) -> Vec<(Row, Name)> {
        let start = self.at.range().start;
        let column =
            |(row, text, place): (Row, String, Range<usize>)| (row, Name::written(text, At::new(start + place.start..start + place.end)));
        row_columns(&tokens(&self.sql)).into_iter().map(column).collect()
    }

    /// The rows `old` and `new` that the condition of a trigger reads, column by column or whole.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        let tokens = tokens(&self.sql);
        let starts = (0..tokens.len()).filter(|&i| i == 0 || !tokens[i - 1].0.is("."));
        starts.filter_map(|i| Row::of(&tokens[i].0).filter(|_| tokens.get(i + 1).is_some_and(|(token, _)| token.is(".")))).collect()
    }

    /// Follows the rename of a column of the table whose trigger has the condition.
    pub fn rename_row_column(&mut self, from: &str, to: &Name) {
        let columns = row_columns(&tokens(&self.sql)).into_iter().filter(|(_, text, _)| text == from);
        let replacements = columns.map(|(_, _, place)| (place, to.quoted())).collect();
        self.replace(replacements);
    }

    fn replace(&mut self, replacements: Vec<(Range<usize>, String)>) {
        for (place, with) in replacements.into_iter().rev() {
            self.sql.replace_range(place, &with);
        }
    }
}

/// The names of the functions that are called.
fn calls(tokens: &[Spanned]) -> Vec<Path> {
    let starts = (0..tokens.len()).filter(|&i| i == 0 || !tokens[i - 1].0.is("."));
    let called = |path: &Path| tokens.iter().find(|(_, place)| place.start >= path.place.end).is_some_and(|(token, _)| token.is("("));
    starts.filter_map(|i| path(tokens, i)).filter(called).collect()
}

/// A row that a trigger sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// As it was.
    Old,
    /// As it will be.
    New,
}

impl Row {
    fn of(token: &Token) -> Option<Self> {
        match token {
            Token::Word(text) | Token::Quoted(text) if text == "old" => Some(Self::Old),
            Token::Word(text) | Token::Quoted(text) if text == "new" => Some(Self::New),
            _ => None,
        }
    }
}

fn row_columns(tokens: &[Spanned]) -> Vec<(Row, String, Range<usize>)> {
    let column = |i: usize| {
        let row = Row::of(&tokens[i].0).filter(|_| i == 0 || !tokens[i - 1].0.is("."))?;
        let (Token::Word(text) | Token::Quoted(text), place) = tokens.get(i + 2)? else { return None };
        tokens[i + 1].0.is(".").then(|| (row, text.clone(), place.clone()))
    };
    (0..tokens.len()).filter_map(column).collect()
}

/// The places where columns are qualified with that table's name, each with the end of the dot behind it.
fn qualifiers<'a>(tokens: &'a [Spanned], table: &'a QualifiedName) -> impl Iterator<Item = (Path, usize)> + 'a {
    let starts = (0..tokens.len()).filter(|&i| i == 0 || !(tokens[i - 1].0.is(".") || tokens[i - 1].0.is("::")));
    let three_parts = |i: usize| tokens.get(i + 3).is_some_and(|(token, _)| token.is("."));
    let alone = |i: usize| match &tokens[i] {
        (Token::Word(text) | Token::Quoted(text), place) => {
            Some(Path { name: table.sibling(text.as_str()), qualified: false, place: place.clone() })
        }
        _ => None,
    };
    let paths = starts.filter_map(move |i| if three_parts(i) { path(tokens, i) } else { alone(i) });
    paths.filter(|path| path.name == *table).filter_map(|path| {
        let (token, place) = tokens.iter().find(|(_, place)| place.start >= path.place.end)?;
        token.is(".").then_some((path, place.end))
    })
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
    fn finds_and_renames_the_columns_of_rows() {
        let mut expression =
            Expression::new("old.title <> new.\"title\" or new.* is distinct from old.* or title(x.new.title) = 'new.title'");
        assert_eq!(expression.row_columns(), [(Row::Old, Name::new("title")), (Row::New, Name::new("title"))]);
        assert_eq!(expression.rows(), [Row::Old, Row::New, Row::New, Row::Old]);
        expression.rename_row_column("title", &Name::new("Heading"));
        let renamed = "old.\"Heading\" <> new.\"Heading\" or new.* is distinct from old.* or title(x.new.title) = 'new.title'";
        assert_eq!(expression.sql(), renamed);
    }

    #[test]
    fn finds_and_renames_functions() {
        let (size, length) = (name("public", "size"), name("app", "length"));
        let mut expression = Expression::new("size(a) + public.size (b) + other.size(c) + size + 'size(d)'");
        assert!(expression.calls(&size) && !Expression::new("size + x.size(1)").calls(&size));
        expression.rename_function(&size, &length);
        assert_eq!(expression.sql(), "app.length(a) + app.length (b) + other.size(c) + size + 'size(d)'");
    }

    #[test]
    fn finds_and_renames_sequences() {
        let mut expression = Expression::new("nextval('public.\"Odd\"'::regclass) + nextval('a_seq') || 'a_seq'");
        assert_eq!(expression.sequences(), [name("public", "Odd"), name("public", "a_seq")]);
        expression.rename_sequence(&name("public", "a_seq"), &name("public", "b_seq"));
        assert_eq!(expression.sql(), "nextval('public.\"Odd\"'::regclass) + nextval('b_seq') || 'a_seq'");
    }

    #[test]
    fn columns_go_on_being_qualified_with_their_table() {
        let written = "items.price > 0 and public.items.price < 9 and items > 0 and x.items is null";
        let (items, things) = (name("public", "items"), name("app", "things"));
        let mut expression = Expression::new(written);
        expression.rename_qualifier(&items, &things);
        assert_eq!(expression.sql(), "things.price > 0 and app.things.price < 9 and items > 0 and x.items is null");
        expression.rename_qualifier(&things, &items);
        assert_eq!(expression.sql(), written);
    }
}
