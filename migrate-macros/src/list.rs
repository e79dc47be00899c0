//! `migrations! { #![deny(lint)] mod m0001_baseline; mod m0002_enums; }`

use migrate_core::lints::Levels;
use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::levels;
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
    /// What it says about lints.
    pub levels: Levels,
}

/// Parses the list. What is wrong is reported and left out.
pub fn parse(list: TokenStream, report: &mut Report) -> List {
    let trees = lexeme::flatten(list);
    let (levels, taken) = levels::read(&trees, report);
    let mut rest = trees.get(taken..).unwrap_or_default();
    let mut list = List { modules: Vec::new(), items: TokenStream::new(), levels };
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
            other => {
                let at = other.first().map_or(Place::CALL_SITE, |tree| report.place(tree.span()));
                report.malformed_list(at);
                let end = rest.iter().position(|tree| matches!(tree, TokenTree::Punct(mark) if mark.as_char() == ';'));
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
}
