//! From Rust's spelling of SQL to its tokens, judged once, before any grammar.

use proc_macro2::{Delimiter, TokenStream};

use crate::lexeme::{self, Gap, Group, Lexeme, LexemeKind};
use crate::literal::{self, Literal};
use crate::report::{Place, Report};
use crate::token::{Token, TokenKind};

/// Reads a stream and reports what Rust's lexer admits but SQL has no meaning for. Each mistake leaves behind the
/// token that was meant, so that it is reported once.
pub fn read(stream: TokenStream, report: &mut Report) -> Vec<Token> {
    respell(&lexeme::read(stream, report), report)
}

fn respell(lexemes: &[Lexeme], report: &mut Report) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(lexemes.len());
    let mut rest = lexemes;
    while let Some(first) = rest.first() {
        let spelling = spelling(first, rest, &tokens, report);
        if let Some(kind) = spelling.kind {
            let gap = if glues_to(tokens.last(), &kind) { Gap::Touching } else { first.gap };
            tokens.push(Token { kind, place: spelling.place, gap });
        }
        rest = rest.get(spelling.taken..).unwrap_or_default();
    }
    tokens
}

/// What the next lexemes mean, and how many they are.
struct Spelling {
    kind: Option<TokenKind>,
    place: Place,
    taken: usize,
}

impl Spelling {
    fn one(lexeme: &Lexeme, kind: TokenKind) -> Self {
        Self { kind: Some(kind), place: lexeme.place, taken: 1 }
    }

    fn nothing(place: Place, taken: usize) -> Self {
        Self { kind: None, place, taken }
    }
}

fn spelling(first: &Lexeme, rest: &[Lexeme], before: &[Token], report: &mut Report) -> Spelling {
    let special = match &first.kind {
        LexemeKind::Mark('\'') => Some(lifetime(first, rest, report)),
        LexemeKind::Mark('@') if !ends_operator(before, first.gap) => quoted(first, rest, report),
        LexemeKind::Mark('#') => attribute(first, rest, report),
        LexemeKind::Mark('-') => comment(first, rest, report),
        LexemeKind::Mark('$') if !continues_name(before, first.gap) => dollar_quote(first, rest, report),
        _ => None,
    };
    special.unwrap_or_else(|| {
        let kind = match &first.kind {
            LexemeKind::Word(word) => TokenKind::Word(word.clone()),
            LexemeKind::Mark(mark) => TokenKind::Mark(*mark),
            LexemeKind::Literal(spelling) => literal(spelling, first.place, before, report),
            LexemeKind::Group(group) => TokenKind::Group(Group {
                delimiter: group.delimiter,
                tokens: respell(&group.tokens, report),
                close: group.close,
                close_gap: group.close_gap,
            }),
        };
        Spelling::one(first, kind)
    })
}

fn literal(spelling: &str, place: Place, before: &[Token], report: &mut Report) -> TokenKind {
    match literal::decode(spelling) {
        Literal::Text { value, raw } => {
            if value.contains('\0') {
                report.nul_character(place);
            }
            check_prefix(before, place, report);
            TokenKind::Text { value: value.replace('\0', ""), raw }
        }
        Literal::Bytes(bytes) => TokenKind::Bytes(bytes),
        Literal::Number(number) => TokenKind::Number(number),
        Literal::Character(content) => {
            // of any other number the compiler's lexer has told already
            if literal::unescape(&content).chars().count() == 1 {
                report.single_quotes(place, spelling, &content);
            }
            TokenKind::Text { value: content, raw: false }
        }
        Literal::Byte => {
            report.byte_literal(place, spelling);
            TokenKind::Bytes(Vec::new())
        }
        Literal::CText => {
            report.c_string(place);
            TokenKind::Text { value: String::new(), raw: false }
        }
        Literal::Suffixed { literal, suffix } => {
            report.literal_suffix(place, &literal, &suffix);
            match literal::decode(&literal) {
                Literal::Text { value, raw } => TokenKind::Text { value, raw },
                Literal::Number(number) => TokenKind::Number(number),
                _ => TokenKind::Text { value: String::new(), raw: false },
            }
        }
    }
}

/// `E'…'` and `U&'…'` bring escapes of their own, which would be applied to what Rust has already unescaped.
fn check_prefix(before: &[Token], place: Place, report: &mut Report) {
    match before {
        [.., prefix] if prefix.is_word("e") => report.escape_string(prefix.place.to(place), "E"),
        [.., prefix, ampersand] if prefix.is_word("u") && ampersand.is_mark('&') && ampersand.gap == Gap::Touching => {
            report.escape_string(prefix.place.to(place), "U&");
        }
        _ => {}
    }
}

/// `B'101'` and `X'1F'` are one token in SQL; Rust would read `b"101"` as bytes, so they are written with a blank.
fn glues_to(before: Option<&Token>, kind: &TokenKind) -> bool {
    matches!(kind, TokenKind::Text { raw: false, .. }) && before.is_some_and(|before| before.is_word("b") || before.is_word("x"))
}

fn lifetime(quote: &Lexeme, rest: &[Lexeme], report: &mut Report) -> Spelling {
    if let Some(Lexeme { kind: LexemeKind::Word(word), place, .. }) = rest.get(1) {
        let place = quote.place.to(*place);
        report.single_quotes(place, &format!("'{word}"), word);
        return Spelling { kind: Some(TokenKind::Text { value: word.clone(), raw: false }), place, taken: 2 };
    }
    report.single_quotes(quote.place, "'", "…");
    Spelling::nothing(quote.place, 1)
}

/// Operators that people write without a blank before the next name, none of which is the start of one on `@`.
const OPERATORS_BEFORE_A_NAME: [&str; 15] = ["=", "<>", "!=", "<=", ">=", ">", "+", "-", "*", "/", "%", "||", "->", "->>", "=>"];

/// Whether an `@` after these tokens is the last character of an operator such as `<@` or `@@`.
fn ends_operator(before: &[Token], gap: Gap) -> bool {
    let mut gap = gap;
    let mut operator = String::new();
    for token in before.iter().rev() {
        match token.kind {
            TokenKind::Mark(mark) if gap == Gap::Touching && "+-*/<>=~!@#%^&|?".contains(mark) => {
                operator.insert(0, mark);
            }
            _ => break,
        }
        gap = token.gap;
    }
    !operator.is_empty() && !OPERATORS_BEFORE_A_NAME.contains(&operator.as_str())
}

fn quoted(mark: &Lexeme, rest: &[Lexeme], report: &mut Report) -> Option<Spelling> {
    let LexemeKind::Literal(spelling) = &rest.get(1)?.kind else { return None };
    let Literal::Text { value, .. } = literal::decode(spelling) else { return None };
    let place = mark.place.to(rest.get(1)?.place);
    if value.is_empty() {
        report.empty_identifier(place);
    } else if value.contains('\0') {
        report.nul_character(place);
    }
    Some(Spelling { kind: Some(TokenKind::Quoted(value.replace('\0', ""))), place, taken: 2 })
}

fn attribute(hash: &Lexeme, rest: &[Lexeme], report: &mut Report) -> Option<Spelling> {
    let inner = rest.get(1)?.kind == LexemeKind::Mark('!');
    let taken = if inner { 3 } else { 2 };
    let LexemeKind::Group(group) = &rest.get(taken - 1)?.kind else { return None };
    if group.delimiter != Delimiter::Bracket {
        return None;
    }
    let place = hash.place.to(group.close);
    let kind = match (documentation(&group.tokens), inner) {
        (Some(documentation), false) => Some(TokenKind::Documentation(documentation)),
        (Some(_), true) => None,
        (None, false) => Some(TokenKind::Attribute(respell(&group.tokens, report))),
        (None, true) => {
            report.inner_attribute(place);
            None
        }
    };
    Some(Spelling { kind, place, taken })
}

/// The text of `doc = "…"`, which is what the compiler makes of `/// …`.
fn documentation(attribute: &[Lexeme]) -> Option<String> {
    let [name, equals, Lexeme { kind: LexemeKind::Literal(spelling), .. }] = attribute else { return None };
    if name.kind != LexemeKind::Word("doc".to_owned()) || equals.kind != LexemeKind::Mark('=') {
        return None;
    }
    match literal::decode(spelling) {
        Literal::Text { value, .. } => Some(value),
        _ => None,
    }
}

fn comment(first: &Lexeme, rest: &[Lexeme], report: &mut Report) -> Option<Spelling> {
    let second = rest.get(1).filter(|next| next.kind == LexemeKind::Mark('-') && next.gap == Gap::Touching)?;
    let place = first.place.to(second.place);
    report.sql_comment(place);
    let line = rest.iter().skip(2).take_while(|lexeme| !matches!(lexeme.gap, Gap::Line { .. })).count();
    Some(Spelling::nothing(place, 2 + line))
}

/// Whether a `$` belongs to the name before it, as in `a$b`.
fn continues_name(before: &[Token], gap: Gap) -> bool {
    gap == Gap::Touching
        && before.last().is_some_and(|token| matches!(token.kind, TokenKind::Word(_) | TokenKind::Number(_) | TokenKind::Mark('$')))
}

/// `$$ … $$` and `$tag$ … $tag$`, reported and skipped as a whole, since what is inside is a language of its own.
fn dollar_quote(first: &Lexeme, rest: &[Lexeme], report: &mut Report) -> Option<Spelling> {
    let (tag, length) = dollar_tag(rest)?;
    let place = first.place.to(rest.get(length - 1)?.place);
    report.dollar_quote(place, &tag);
    let closing = (length..rest.len())
        .find(|at| rest.get(*at..).and_then(dollar_tag).is_some_and(|(other, _)| other == tag))
        .map_or(length, |at| at + length);
    Some(Spelling { kind: Some(TokenKind::Text { value: String::new(), raw: true }), place, taken: closing })
}

/// The tag between two dollars, and the number of lexemes that spell it.
fn dollar_tag(rest: &[Lexeme]) -> Option<(String, usize)> {
    let is_dollar = |at: usize| rest.get(at).is_some_and(|lexeme| lexeme.kind == LexemeKind::Mark('$'));
    let next = rest.get(1).filter(|next| is_dollar(0) && next.gap == Gap::Touching)?;
    match &next.kind {
        LexemeKind::Mark('$') => Some((String::new(), 2)),
        LexemeKind::Word(tag) if is_dollar(2) => Some((tag.clone(), 3)),
        _ => None,
    }
}
