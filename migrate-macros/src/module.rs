//! The module under `#[migration]`: blocks of ours among items of Rust.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

use crate::arguments::{self, Header};
use crate::literal::{self, Literal};
use crate::report::{Place, Report};
use crate::statement::{Block, Statement, StatementKind, Text};
use crate::{grammar, spelling};

const BLOCKS: [&str; 5] = ["up", "down", "irreversible", "optional", "external"];

/// A migration as plain data, so that it can be kept from one expansion to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// The name of its module.
    pub name: Text,
    /// `None` where the attribute has no usable revision, which has been reported.
    pub header: Option<Header>,
    pub documentation: Option<String>,
    pub up: Vec<Statement>,
    /// `None` where the way back is to be derived.
    pub down: Option<Vec<Statement>>,
    /// Why there is no way back.
    pub irreversible: Option<Text>,
    pub optional: Vec<Statement>,
    pub external: Vec<Statement>,
}

impl Migration {
    /// The paths of all files that it includes, as written.
    pub fn includes(&self) -> Vec<&str> {
        let mut paths = Vec::new();
        let mut open: Vec<&Statement> =
            self.external.iter().chain(&self.optional).chain(&self.up).chain(self.down.iter().flatten()).collect();
        while let Some(statement) = open.pop() {
            match &statement.kind {
                StatementKind::Include { path } => paths.push(path.value.as_str()),
                StatementKind::IfExists { body, .. } | StatementKind::Dialect { body, .. } => open.extend(body),
                StatementKind::Sql(_) | StatementKind::Run { .. } | StatementKind::Assert { .. } => {}
            }
        }
        paths
    }
}

/// The Rust around a migration, to be emitted again.
#[derive(Clone, Debug)]
pub struct Module {
    /// `#[…]` and `/// …` before the module.
    pub attributes: TokenStream,
    /// `pub`, `pub(crate)` or nothing.
    pub visibility: TokenStream,
    pub name: Ident,
    /// What is in the module and no block of ours, unread.
    pub items: TokenStream,
}

/// Parses the attribute's arguments and the item below it; `None` where that is no module with a body.
pub fn parse(arguments: TokenStream, item: TokenStream, report: &mut Report) -> Option<(Module, Migration)> {
    let arguments = spelling::read(arguments, report);
    let trees: Vec<TokenTree> = item.into_iter().collect();
    let (module, body) = head(&trees, report)?;
    let name = Text { value: plain(&module.name), place: report.place(module.name.span()) };
    let header = arguments::parse(&arguments, name.place, report);
    let documentation = documentation(&module.attributes);
    let mut blocks = Blocks::default();
    blocks.read(body.stream(), report);
    if blocks.up.is_none() && !blocks.unknown {
        report.missing_up(name.place, &name.value);
    }
    if let (Some((down, _)), Some((irreversible, _))) = (&blocks.down, &blocks.irreversible) {
        report.down_and_irreversible((*down).max(*irreversible));
    }
    let migration = Migration {
        name,
        header,
        documentation,
        up: blocks.up.map(|(_, statements)| statements).unwrap_or_default(),
        down: blocks.down.map(|(_, statements)| statements),
        irreversible: blocks.irreversible.and_then(|(_, reason)| reason),
        optional: blocks.optional,
        external: blocks.external,
    };
    Some((Module { items: blocks.items, ..module }, migration))
}

/// What is left of an item that is no migration. A module in another file is left empty: in there the blocks would be
/// reported one by one.
pub fn stand_in(item: TokenStream) -> TokenStream {
    let mut trees: Vec<TokenTree> = item.into_iter().collect();
    let is_module = trees.iter().any(|tree| matches!(tree, TokenTree::Ident(word) if word == "mod"));
    if let Some(last) = trees.last_mut().filter(|last| is_module && is_mark(Some(last), ';')) {
        *last = Group::new(Delimiter::Brace, TokenStream::new()).into();
    }
    trees.into_iter().collect()
}

fn plain(name: &Ident) -> String {
    let name = name.to_string();
    name.strip_prefix("r#").unwrap_or(&name).to_owned()
}

fn is_mark(tree: Option<&TokenTree>, character: char) -> bool {
    matches!(tree, Some(TokenTree::Punct(mark)) if mark.as_char() == character)
}

fn is_group(tree: Option<&TokenTree>, delimiter: Delimiter) -> bool {
    matches!(tree, Some(TokenTree::Group(group)) if group.delimiter() == delimiter)
}

/// How many tokens the attributes at the start are.
pub fn attributes_end(trees: &[TokenTree]) -> usize {
    let mut at = 0;
    while is_mark(trees.get(at), '#') && is_group(trees.get(at + 1), Delimiter::Bracket) {
        at += 2;
    }
    at
}

/// Everything up to the body.
fn head<'a>(trees: &'a [TokenTree], report: &mut Report) -> Option<(Module, &'a Group)> {
    let attributes = attributes_end(trees);
    let mut at = attributes;
    if matches!(trees.get(at), Some(TokenTree::Ident(word)) if word == "pub") {
        at += 1;
        at += usize::from(is_group(trees.get(at), Delimiter::Parenthesis));
    }
    let visibility = attributes..at;
    let (keyword, name) = (trees.get(at), trees.get(at + 1));
    let (Some(TokenTree::Ident(keyword)), Some(TokenTree::Ident(name))) = (keyword, name) else {
        let at = keyword.map_or(Place::CALL_SITE, |tree| report.place(tree.span()));
        report.not_a_module(at);
        return None;
    };
    if keyword != "mod" {
        let at = report.place(keyword.span());
        report.not_a_module(at);
        return None;
    }
    let collect = |range: std::ops::Range<usize>| trees.get(range).unwrap_or_default().iter().cloned().collect();
    let module =
        Module { attributes: collect(0..attributes), visibility: collect(visibility), name: name.clone(), items: TokenStream::new() };
    match trees.get(at + 2) {
        Some(TokenTree::Group(body)) if body.delimiter() == Delimiter::Brace => Some((module, body)),
        _ => {
            let at = report.place(name.span());
            report.module_without_body(at, &plain(name));
            None
        }
    }
}

/// The lines of `/// …`.
fn documentation(attributes: &TokenStream) -> Option<String> {
    let lines: Vec<String> = attributes
        .clone()
        .into_iter()
        .filter_map(|tree| match tree {
            TokenTree::Group(attribute) => {
                let trees: Vec<TokenTree> = attribute.stream().into_iter().collect();
                match trees.as_slice() {
                    [TokenTree::Ident(name), _, TokenTree::Literal(literal)] if name == "doc" => Some(literal.to_string()),
                    _ => None,
                }
            }
            _ => None,
        })
        .filter_map(|spelling| match literal::decode(&spelling) {
            Literal::Text { value, .. } => Some(value.strip_prefix(' ').unwrap_or(&value).to_owned()),
            _ => None,
        })
        .collect();
    Some(lines.join("\n")).filter(|_| !lines.is_empty())
}

#[derive(Default)]
struct Blocks {
    up: Option<(Place, Vec<Statement>)>,
    down: Option<(Place, Vec<Statement>)>,
    irreversible: Option<(Place, Option<Text>)>,
    optional: Vec<Statement>,
    external: Vec<Statement>,
    items: TokenStream,
    unknown: bool,
}

impl Blocks {
    fn read(&mut self, body: TokenStream, report: &mut Report) {
        let trees: Vec<TokenTree> = body.into_iter().collect();
        let mut rest = trees.as_slice();
        while let Some(first) = rest.first() {
            // What `macro_rules!` substitutes for `$item:item`.
            if let TokenTree::Group(group) = first
                && group.delimiter() == Delimiter::None
            {
                self.read(group.stream(), report);
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            let attributes = attributes_end(rest);
            let (attributes, item) = rest.split_at(attributes.min(rest.len()));
            let taken = match item {
                [TokenTree::Ident(name), TokenTree::Punct(mark), TokenTree::Group(body), ..] if mark.as_char() == '!' => {
                    self.block(name, body, attributes, report);
                    3 + usize::from(is_mark(item.get(3), ';'))
                }
                _ => {
                    let end = item_end(item);
                    self.items.extend(attributes.iter().cloned());
                    self.items.extend(item.get(..end).unwrap_or(item).iter().cloned());
                    end
                }
            };
            rest = item.get(taken..).unwrap_or_default();
        }
    }

    fn block(&mut self, name: &Ident, body: &Group, attributes: &[TokenTree], report: &mut Report) {
        let place = report.place(name.span());
        let name = plain(name);
        if !is_documentation(attributes) {
            report.attribute_on_block(place, &name);
        }
        match name.as_str() {
            "up" => {
                let statements = statements(body, Block::Up, report);
                set(&mut self.up, place, statements, &name, report);
            }
            "down" => {
                let statements = statements(body, Block::Down, report);
                set(&mut self.down, place, statements, &name, report);
            }
            "irreversible" => {
                let reason = reason(body, place, report);
                set(&mut self.irreversible, place, reason, &name, report);
            }
            "optional" => self.optional.extend(statements(body, Block::Optional, report)),
            "external" => self.external.extend(statements(body, Block::External, report)),
            _ => {
                self.unknown = true;
                report.unknown_block(place, &name, &BLOCKS);
            }
        }
    }
}

fn set<T>(block: &mut Option<(Place, T)>, place: Place, value: T, name: &str, report: &mut Report) {
    if block.is_some() {
        report.duplicate_block(place, name);
    } else {
        *block = Some((place, value));
    }
}

fn statements(body: &Group, block: Block, report: &mut Report) -> Vec<Statement> {
    let tokens = spelling::read(body.stream(), report);
    grammar::parse(&tokens, block, report)
}

fn reason(body: &Group, place: Place, report: &mut Report) -> Option<Text> {
    let tokens = spelling::read(body.stream(), report);
    let reason = match tokens.as_slice() {
        [token] => token.text().map(|value| Text { value: value.to_owned(), place: token.place }),
        _ => None,
    };
    let reason = reason.filter(|reason| !reason.value.trim().is_empty());
    if reason.is_none() {
        let at = tokens.first().zip(tokens.last()).map_or(place, |(first, last)| first.place.to(last.whole()));
        report.irreversible_without_reason(at);
    }
    reason
}

fn is_documentation(attributes: &[TokenTree]) -> bool {
    attributes.iter().all(|tree| match tree {
        TokenTree::Group(attribute) => {
            matches!(attribute.stream().into_iter().next(), Some(TokenTree::Ident(name)) if name == "doc")
        }
        _ => true,
    })
}

/// Where an item of Rust ends. Its content is the compiler's business: an unfinished function in an editor must not
/// take the migration down with it.
fn item_end(item: &[TokenTree]) -> usize {
    let words = item.iter().map_while(|tree| match tree {
        TokenTree::Ident(word) => Some(word.to_string()),
        TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => Some(String::new()),
        _ => None,
    });
    let words: Vec<String> = words.filter(|word| !word.is_empty() && word != "pub").take(2).collect();
    let is_function = words.get(1).is_some_and(|word| matches!(word.as_str(), "fn" | "async" | "unsafe" | "extern"));
    let ends_with_semicolon = match words.first().map(String::as_str) {
        Some("use" | "static" | "type" | "let") => true,
        Some("const") => !is_function,
        _ => false,
    };
    let end = item.iter().position(|tree| is_mark(Some(tree), ';') || !ends_with_semicolon && is_group(Some(tree), Delimiter::Brace));
    end.map_or(item.len(), |end| end + 1)
}
