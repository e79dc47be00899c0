//! `migrations! { dialects: [postgres, sqlite]; mod m0001_baseline; mod m0002_enums; }`

use migrate_core::step::Dialect;
use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

use crate::lexeme;
use crate::module::attributes_end;
use crate::report::{Place, Report};
use crate::statement::Text;

/// The chain as it is listed.
#[derive(Clone, Debug)]
pub struct List {
    /// The modules in their order.
    pub modules: Vec<Text>,
    /// The same as items of Rust, attributes and visibility included.
    pub items: TokenStream,
    /// What the chain says of its dialects; none where it says nothing, which means PostgreSQL.
    pub dialects: Option<Vec<Dialect>>,
}

/// Parses the list. What is wrong is reported and left out.
pub fn parse(list: TokenStream, report: &mut Report) -> List {
    let trees = lexeme::flatten(list);
    let mut rest = trees.as_slice();
    let mut list = List { modules: Vec::new(), items: TokenStream::new(), dialects: None };
    while !rest.is_empty() {
        let start = declaration_start(rest);
        let (name, taken) = match rest.get(start..).unwrap_or_default() {
            [TokenTree::Ident(keyword), TokenTree::Ident(name), after @ ..] if keyword == "mod" => {
                let module = Text { value: name.to_string(), place: report.place(name.span()) };
                match after.first() {
                    Some(TokenTree::Punct(mark)) if mark.as_char() == ';' => (Some(module), start + 3),
                    Some(TokenTree::Group(body)) if body.delimiter() == Delimiter::Brace => {
                        report.module_without_semicolon(module.place, &module.value);
                        (None, start + 3)
                    }
                    _ => {
                        report.module_without_semicolon(module.place, &module.value);
                        (None, start + 2)
                    }
                }
            }
            [TokenTree::Ident(keyword), TokenTree::Punct(colon), ..] if start == 0 && keyword == "dialects" && colon.as_char() == ':' => {
                let end = rest.iter().position(is_semicolon).unwrap_or(rest.len());
                dialects(keyword, rest.get(2..end).unwrap_or_default(), &mut list.dialects, report);
                (None, end + 1)
            }
            other => {
                let at = other.first().map_or(Place::CALL_SITE, |tree| report.place(tree.span()));
                report.malformed_list(at);
                let end = rest.iter().position(is_semicolon);
                (None, end.map_or(rest.len(), |end| end + 1))
            }
        };
        if let Some(module) = name {
            if list.modules.iter().any(|known| known.value == module.value) {
                report.duplicate_module(module.place, &module.value);
            } else {
                list.modules.push(module);
                list.items.extend(rest.iter().take(taken).cloned());
            }
        }
        rest = rest.get(taken..).unwrap_or_default();
    }
    list
}

fn is_semicolon(tree: &TokenTree) -> bool {
    matches!(tree, TokenTree::Punct(mark) if mark.as_char() == ';')
}

/// `[postgres, sqlite]`
fn dialects(keyword: &Ident, value: &[TokenTree], known: &mut Option<Vec<Dialect>>, report: &mut Report) {
    let at = report.place(keyword.span());
    let [TokenTree::Group(names)] = value else {
        let wrong = value.first().map_or(at, |tree| report.place(tree.span()));
        report.malformed_dialects(wrong);
        return;
    };
    let names: Vec<TokenTree> = lexeme::flatten(names.stream());
    let mut found = Vec::new();
    for name in names.split(|tree| matches!(tree, TokenTree::Punct(mark) if mark.as_char() == ',')) {
        match name {
            [] => {}
            [TokenTree::Ident(name)] => {
                let place = report.place(name.span());
                match name.to_string().as_str() {
                    "postgres" => found.push(Dialect::Postgres),
                    "sqlite" => found.push(Dialect::Sqlite),
                    other => report.unknown_dialect_of_chain(place, other),
                }
            }
            [other, ..] => {
                let wrong = report.place(other.span());
                report.malformed_dialects(wrong);
            }
        }
    }
    if names.is_empty() {
        report.malformed_dialects(at);
    }
    if known.replace(found).is_some() {
        report.duplicate_dialects(at);
    }
}

/// How many tokens stand before `mod`.
fn declaration_start(trees: &[TokenTree]) -> usize {
    let at = attributes_end(trees);
    match trees.get(at..).unwrap_or_default() {
        [TokenTree::Ident(word), TokenTree::Group(scope), ..] if word == "pub" && scope.delimiter() == Delimiter::Parenthesis => at + 2,
        [TokenTree::Ident(word), ..] if word == "pub" => at + 1,
        _ => at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(source: &str) -> (Vec<String>, String, Vec<String>) {
        let mut report = Report::new();
        let list = parse(source.parse().expect("tokens"), &mut report);
        let problems = report.problems().iter().map(|problem| problem.message.clone()).collect();
        (list.modules.into_iter().map(|module| module.value).collect(), list.items.to_string(), problems)
    }

    #[test]
    fn modules_keep_their_order_attributes_and_visibility() {
        let (modules, items, problems) = read("/// The first.\nmod m2; #[cfg(test)] pub(crate) mod m1; pub mod r#type;");
        assert_eq!(modules, ["m2", "m1", "r#type"]);
        assert!(items.contains("pub (crate) mod m1 ;"), "{items}");
        assert_eq!(problems, [""; 0]);
    }

    #[test]
    fn the_empty_list_is_a_list() {
        assert_eq!(read(""), (vec![], String::new(), vec![]));
    }

    #[test]
    fn every_mistake_is_reported_and_the_rest_still_read() {
        let (modules, _, problems) = read("mod a; m0002; mod b { } mod c mod d; mod a;");
        assert_eq!(modules, ["a", "d"]);
        assert_eq!(
            problems,
            ["`migrations!` lists modules", "`mod b` is not followed by `;`", "`mod c` is not followed by `;`", "`a` is listed twice",]
        );
    }

    fn dialects_of(source: &str) -> (Option<Vec<Dialect>>, Vec<String>, Vec<String>) {
        let mut report = Report::new();
        let list = parse(source.parse().expect("tokens"), &mut report);
        let problems = report.problems().iter().map(|problem| problem.message.clone()).collect();
        (list.dialects, list.modules.into_iter().map(|module| module.value).collect(), problems)
    }

    #[test]
    fn a_chain_says_what_it_is_for() {
        let modules = vec!["m1".to_owned()];
        let both = Some(vec![Dialect::Postgres, Dialect::Sqlite]);
        assert_eq!(dialects_of("dialects: [postgres, sqlite,]; mod m1;"), (both, modules.clone(), vec![]));
        assert_eq!(dialects_of("mod m1; dialects: [sqlite];"), (Some(vec![Dialect::Sqlite]), modules.clone(), vec![]));
        assert_eq!(dialects_of("mod m1;"), (None, modules, vec![]));
    }

    #[test]
    fn what_is_no_dialect_is_told() {
        let problems = |source| dialects_of(source).2;
        assert_eq!(problems("dialects: [postgres, mysql]; mod m1;"), ["`mysql` is not a dialect"]);
        assert_eq!(problems("dialects: postgres; mod m1;"), ["`dialects` takes a list of names"]);
        assert_eq!(problems("dialects: []; mod m1;"), ["`dialects` takes a list of names"]);
        assert_eq!(problems("dialects: [\"postgres\"]; mod m1;"), ["`dialects` takes a list of names"]);
        assert_eq!(problems("dialects: [sqlite]; dialects: [postgres]; mod m1;"), ["`dialects` is given twice"]);
        assert_eq!(dialects_of("dialects").1, [""; 0]);
    }
}
