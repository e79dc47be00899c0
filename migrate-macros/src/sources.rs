//! The migrations and lists in the text of a file.

use std::sync::Arc;

use migrate_core::lints::Levels;
use migrate_core::step::Dialect;
use proc_macro2::{Delimiter, Group, LexError, TokenStream, TokenTree};

use crate::list;
use crate::module::{self, Migration, attributes_end};
use crate::report::{Place, Problem, Report};

/// What a file says about migrations.
#[derive(Debug, Default)]
pub struct Source {
    pub migrations: Vec<Arc<SourceMigration>>,
    /// Each `migrations! { … }`.
    pub lists: Vec<SourceList>,
}

/// A list as it stands in a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct SourceList {
    pub modules: Vec<String>,
    /// Whether the chain is for SQLite too, as it says itself.
    pub for_sqlite: bool,
    /// Whether it is for SQLite alone.
    pub without_postgres: bool,
    /// What it says about lints.
    pub levels: Levels,
}

impl SourceList {
    /// The names of the migrations that it lists.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.modules.iter().map(|module| module.strip_prefix("r#").unwrap_or(module))
    }
}

/// A migration as it stands in a file. Its places mean nothing in the expansion of another one.
#[derive(Debug)]
pub struct SourceMigration {
    pub migration: Migration,
    /// Reported by its own expansion; here they only say that it cannot be relied on.
    pub problems: Vec<Problem>,
    /// The line of every token, by its number.
    lines: Vec<u32>,
}

impl SourceMigration {
    /// The line of a place, from 1.
    pub fn line(&self, place: Place) -> u32 {
        self.lines.get(place.first()).copied().unwrap_or(0)
    }
}

/// Finds them; `None` if there are none, an error if the text is not Rust.
pub fn parse(text: &str) -> Result<Option<Source>, String> {
    // Lexing is what takes the time, and most files of most folders have nothing to do with migrations.
    if !text.contains("migration") {
        return Ok(None);
    }
    let _lexer = OwnLexer::take();
    let stream: TokenStream = without_shebang(text).parse().map_err(|error: LexError| {
        let start = error.span().start();
        format!("it is not valid Rust from line {}, column {} on", start.line, start.column + 1)
    })?;
    let mut source = Source::default();
    source.read(stream);
    Ok(Some(source).filter(|source| !source.migrations.is_empty() || !source.lists.is_empty()))
}

/// While it lives, text is lexed here and not by the compiler, which would print its own complaints about another
/// file's mistakes under this macro, and which gives such tokens no positions: the same migration would have another
/// layout in the eyes of its descendants than in its own.
struct OwnLexer;

impl OwnLexer {
    fn take() -> Self {
        proc_macro2::fallback::force();
        Self
    }
}

impl Drop for OwnLexer {
    fn drop(&mut self) {
        // Frees the texts. No span outlives the lexer: what has been read is plain data.
        proc_macro2::extra::invalidate_current_thread_spans();
        proc_macro2::fallback::unforce();
    }
}

fn without_shebang(text: &str) -> &str {
    match text.strip_prefix("#!") {
        Some(rest) if !rest.trim_start().starts_with('[') => rest.find('\n').and_then(|end| rest.get(end..)).unwrap_or(""),
        _ => text,
    }
}

impl Source {
    fn read(&mut self, stream: TokenStream) {
        let trees: Vec<TokenTree> = stream.into_iter().collect();
        let mut rest = trees.as_slice();
        while !rest.is_empty() {
            let taken = self.item(rest);
            rest = rest.get(taken.max(1)..).unwrap_or_default();
        }
    }

    /// Reads what starts here and says how many tokens it is.
    fn item(&mut self, trees: &[TokenTree]) -> usize {
        let attributes = attributes_end(trees);
        if let Some((at, arguments)) = migration_attribute(trees.get(..attributes).unwrap_or_default()) {
            return attributes + self.migration(trees, attributes, at, arguments);
        }
        match trees.get(attributes..).unwrap_or_default() {
            [TokenTree::Ident(keyword), TokenTree::Ident(_), TokenTree::Group(body), ..] if keyword == "mod" => {
                self.read(body.stream());
                attributes + 3
            }
            [TokenTree::Ident(name), TokenTree::Punct(mark), TokenTree::Group(body), ..]
                if name == "migrations" && mark.as_char() == '!' =>
            {
                let list = list::parse(body.stream(), &mut Report::new());
                let dialects = list.dialects.unwrap_or_else(|| vec![Dialect::Postgres]);
                self.lists.push(SourceList {
                    modules: list.modules.into_iter().map(|module| module.value).collect(),
                    for_sqlite: dialects.contains(&Dialect::Sqlite),
                    without_postgres: !dialects.contains(&Dialect::Postgres),
                    levels: list.levels,
                });
                attributes + 3
            }
            _ => attributes + 1,
        }
    }

    fn migration(&mut self, trees: &[TokenTree], attributes: usize, at: usize, arguments: TokenStream) -> usize {
        let after = trees.get(attributes..).unwrap_or_default();
        let is_end = |tree: &TokenTree| match tree {
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            TokenTree::Punct(mark) => mark.as_char() == ';',
            _ => false,
        };
        let length = after.iter().position(is_end).map_or(after.len(), |end| end + 1);
        let item = trees
            .iter()
            .take(attributes + length)
            .enumerate()
            .filter(|(index, _)| !(at..at + 2).contains(index))
            .map(|(_, tree)| tree.clone())
            .collect();
        let mut report = Report::new();
        if let Some((_, migration)) = module::parse(arguments, item, &mut report) {
            let problems = report.problems().to_vec();
            self.migrations.push(Arc::new(SourceMigration { migration, problems, lines: report.lines() }));
        }
        length
    }
}

/// Where `#[migration(…)]` stands among attributes, under any path, and its arguments.
fn migration_attribute(attributes: &[TokenTree]) -> Option<(usize, TokenStream)> {
    attributes.chunks(2).enumerate().find_map(|(index, attribute)| match attribute {
        [_, TokenTree::Group(group)] => Some((index * 2, arguments(group)?)),
        _ => None,
    })
}

fn arguments(attribute: &Group) -> Option<TokenStream> {
    let trees: Vec<TokenTree> = attribute.stream().into_iter().collect();
    let (path, arguments) = match trees.as_slice() {
        [path @ .., TokenTree::Group(arguments)] => (path, arguments.stream()),
        path => (path, TokenStream::new()),
    };
    let is_path = path.iter().all(|tree| match tree {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(mark) => mark.as_char() == ':',
        _ => false,
    });
    let is_migration = matches!(path.last(), Some(TokenTree::Ident(name)) if name == "migration");
    (is_path && is_migration).then_some(arguments)
}
