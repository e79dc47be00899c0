//! Rust tokens as plain data, each with what stands before it in the source.

use std::mem;

use proc_macro2::{Delimiter, LineColumn, Punct, Spacing, Span, TokenStream, TokenTree};

use crate::report::{Place, Report};

/// What stands between a token and the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// Nothing.
    Touching,
    /// Blanks or comments on the same line.
    Space,
    /// At least one line break; the token starts in this column, counted from 0.
    Line { column: usize },
}

/// A pair of delimiters and what is between them. There are no invisible delimiters: reading dissolves them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group<T> {
    pub delimiter: Delimiter,
    pub tokens: Vec<T>,
    pub close: Place,
    pub close_gap: Gap,
}

/// One Rust token. The place of a group is its opening delimiter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lexeme {
    pub kind: LexemeKind,
    pub place: Place,
    pub gap: Gap,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LexemeKind {
    /// An identifier or keyword, without `r#`.
    Word(String),
    /// One character of punctuation.
    Mark(char),
    /// A literal as it is spelled.
    Literal(String),
    Group(Group<Lexeme>),
}

/// Reads a whole stream.
pub fn read(stream: TokenStream, report: &mut Report) -> Vec<Lexeme> {
    let mut reader = Reader { report, before: Before::Nothing };
    reader.level(flatten(stream))
}

/// The tokens of one level, those inside invisible delimiters included: `macro_rules!` leaves such delimiters around
/// what it substitutes, and SQL has no use for them.
pub fn flatten(stream: TokenStream) -> Vec<TokenTree> {
    let mut trees = Vec::new();
    push_flat(stream, &mut trees);
    trees
}

fn push_flat(stream: TokenStream, trees: &mut Vec<TokenTree>) {
    for tree in stream {
        match tree {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                part_from_next(trees.last_mut());
                push_flat(group.stream(), trees);
                part_from_next(trees.last_mut());
            }
            tree => trees.push(tree),
        }
    }
}

/// What a mark touched where it was written is not what follows it after a substitution.
fn part_from_next(tree: Option<&mut TokenTree>) {
    if let Some(TokenTree::Punct(mark)) = tree {
        let span = mark.span();
        *mark = Punct::new(mark.as_char(), Spacing::Alone);
        mark.set_span(span);
    }
}

/// The end of the token before.
#[derive(Clone, Copy)]
enum Before {
    Nothing,
    Unknown,
    End(LineColumn),
}

struct Reader<'a> {
    report: &'a mut Report,
    before: Before,
}

impl Reader<'_> {
    fn level(&mut self, trees: Vec<TokenTree>) -> Vec<Lexeme> {
        let guesses: Vec<Gap> = (0..trees.len()).map(|index| guess(&trees, index)).collect();
        trees.into_iter().zip(guesses).map(|(tree, guess)| self.lexeme(tree, guess)).collect()
    }

    fn lexeme(&mut self, tree: TokenTree, guess: Gap) -> Lexeme {
        match tree {
            TokenTree::Group(group) => {
                let gap = self.gap(group.span_open(), guess);
                let place = self.report.place(group.span_open());
                let tokens = self.level(flatten(group.stream()));
                let close_gap = self.gap(group.span_close(), Gap::Touching);
                let close = self.report.place(group.span_close());
                let delimiter = group.delimiter();
                Lexeme { kind: LexemeKind::Group(Group { delimiter, tokens, close, close_gap }), place, gap }
            }
            leaf => {
                let span = leaf.span();
                let gap = self.gap(span, guess);
                let kind = match leaf {
                    TokenTree::Ident(word) => {
                        let spelling = word.to_string();
                        LexemeKind::Word(spelling.strip_prefix("r#").unwrap_or(&spelling).to_owned())
                    }
                    TokenTree::Punct(mark) => LexemeKind::Mark(mark.as_char()),
                    other => LexemeKind::Literal(other.to_string()),
                };
                Lexeme { kind, place: self.report.place(span), gap }
            }
        }
    }

    /// What the positions say; the guess where they say nothing.
    fn gap(&mut self, span: Span, guess: Gap) -> Gap {
        let (start, end) = (span.start(), span.end());
        // Tokens made by another macro and those of some editors have no extent, or the same one for all of them.
        let known = start < end;
        let before = mem::replace(&mut self.before, if known { Before::End(end) } else { Before::Unknown });
        let line = Gap::Line { column: start.column };
        match before {
            _ if !known => guess,
            Before::Nothing => line,
            Before::End(before) if before == start => Gap::Touching,
            Before::End(before) if before.line == start.line && before < start => Gap::Space,
            Before::End(before) if before < start => line,
            Before::End(_) | Before::Unknown => guess,
        }
    }
}

/// What must or may stand before a token as far as its kind tells. SQL needs to know which marks touch, which Rust
/// always knows, that `.5` and `$1` are one token, and that two strings are on two lines.
fn guess(trees: &[TokenTree], index: usize) -> Gap {
    let Some(token) = trees.get(index) else { return Gap::Space };
    let Some(before) = index.checked_sub(1).and_then(|index| trees.get(index)) else {
        return Gap::Touching;
    };
    let after_mark = matches!(before, TokenTree::Punct(_));
    let after_word = matches!(before, TokenTree::Ident(_));
    let touching = touches_next(trees, index - 1)
        || match token {
            TokenTree::Punct(mark) => match mark.as_char() {
                ',' | ';' => !after_mark,
                '.' => !after_mark && !trees.get(index + 1).is_some_and(is_number),
                ':' => !after_mark && mark.spacing() == Spacing::Joint,
                _ => false,
            },
            TokenTree::Group(group) => match group.delimiter() {
                Delimiter::Bracket => after_word || matches!(before, TokenTree::Group(_)),
                Delimiter::Parenthesis => after_word && group.stream().is_empty(),
                _ => false,
            },
            TokenTree::Literal(_) if is_string(before) && is_string(token) => return Gap::Line { column: 0 },
            _ => false,
        };
    if touching { Gap::Touching } else { Gap::Space }
}

/// Whether the token at `index` is a mark that touches the next token.
fn touches_next(trees: &[TokenTree], index: usize) -> bool {
    let mark_at = |index: usize| match trees.get(index) {
        Some(TokenTree::Punct(mark)) => Some(mark),
        _ => None,
    };
    let Some(mark) = mark_at(index) else { return false };
    if mark.spacing() == Spacing::Joint {
        return true;
    }
    let ends_cast = mark.as_char() == ':' && index.checked_sub(1).and_then(mark_at).is_some_and(|before| before.as_char() == ':');
    mark_at(index + 1).is_none() && (ends_cast || matches!(mark.as_char(), '.' | '$'))
}

fn is_number(tree: &TokenTree) -> bool {
    matches!(tree, TokenTree::Literal(literal) if literal.to_string().starts_with(|first: char| first.is_ascii_digit()))
}

fn is_string(tree: &TokenTree) -> bool {
    matches!(tree, TokenTree::Literal(_)) && !is_number(tree)
}
