//! `#[migration(revision = "…", parent = "…")]`

use proc_macro2::Delimiter;

use crate::report::{Place, Report};
use crate::statement::Text;
use crate::token::Token;

const ARGUMENTS: [&str; 3] = ["revision", "parent", "parents"];

/// Where a migration stands in the graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    pub revision: Text,
    /// None for a root, several for a merge.
    pub parents: Vec<Text>,
}

/// Parses the arguments of the attribute of the module that is named at `module`; `None` without a usable revision.
pub fn parse(tokens: &[Token], module: Place, report: &mut Report) -> Option<Header> {
    let problems = report.problems().len();
    let mut found = Found::default();
    let mut arguments: Vec<&[Token]> = tokens.split(|token| token.is_mark(',')).collect();
    if arguments.last().is_some_and(|last| last.is_empty()) {
        arguments.pop();
    }
    for argument in arguments {
        found.argument(argument, report);
    }
    if let (Some((parent, _)), Some((parents, _))) = (&found.parent, &found.parents) {
        report.parent_and_parents((*parent).max(*parents));
    }
    if found.revision.is_none() && report.problems().len() == problems {
        report.missing_revision(tokens.first().zip(tokens.last()).map_or(module, |(first, last)| first.place.to(last.whole())));
    }
    let parents = found.parents.map(|(_, parents)| parents).or(found.parent.map(|(_, parent)| vec![parent]));
    Some(Header { revision: found.revision?, parents: parents.unwrap_or_default() })
}

#[derive(Default)]
struct Found {
    names: Vec<String>,
    revision: Option<Text>,
    parent: Option<(Place, Text)>,
    parents: Option<(Place, Vec<Text>)>,
}

impl Found {
    fn argument(&mut self, argument: &[Token], report: &mut Report) {
        let Some((name_token, name)) = argument.first().and_then(|token| Some((token, token.word()?))) else {
            let at = argument.first().map_or(Place::CALL_SITE, Token::whole);
            report.malformed_argument(at);
            return;
        };
        let at = name_token.place;
        if !ARGUMENTS.contains(&name) {
            report.unknown_argument(at, name, &ARGUMENTS);
            return;
        }
        if self.names.iter().any(|known| known == name) {
            report.duplicate_argument(at, name);
            return;
        }
        self.names.push(name.to_owned());
        let value = match argument {
            [_, equals, value] if equals.is_mark('=') => Some(value),
            _ => None,
        };
        let whole = argument.last().map_or(at, |last| at.to(last.whole()));
        if name == "parents" {
            self.parents = value.and_then(|value| parents(value, report, whole)).map(|parents| (at, parents));
            if value.is_none() {
                report.malformed_parents(whole);
            }
            return;
        }
        let Some(text) = value.and_then(text) else {
            report.argument_without_value(whole, name);
            return;
        };
        check_revision(&text, report);
        match name {
            "revision" => self.revision = Some(text),
            _ => self.parent = Some((at, text)),
        }
    }
}

fn text(token: &Token) -> Option<Text> {
    token.text().map(|value| Text { value: value.to_owned(), place: token.place })
}

fn parents(value: &Token, report: &mut Report, whole: Place) -> Option<Vec<Text>> {
    let mut revisions: Vec<Text> = Vec::new();
    let list = value.group(Delimiter::Bracket).map(|list| list.tokens.as_slice()).unwrap_or_default();
    let items: Vec<&[Token]> = list.split(|token| token.is_mark(',')).filter(|item| !item.is_empty()).collect();
    if items.is_empty() {
        report.malformed_parents(whole);
        return None;
    }
    for item in items {
        let revision = match item {
            [token] => text(token),
            _ => None,
        };
        let Some(revision) = revision else {
            report.malformed_parents(item.first().map_or(whole, Token::whole));
            return None;
        };
        check_revision(&revision, report);
        if revisions.iter().any(|known| known.value == revision.value) {
            report.duplicate_parent(revision.place, &revision.value);
        } else {
            revisions.push(revision);
        }
    }
    Some(revisions)
}

fn check_revision(revision: &Text, report: &mut Report) {
    if revision.value.is_empty() {
        report.empty_revision(revision.place);
    } else if revision.value.contains(|character: char| character.is_whitespace() || character.is_control()) {
        report.revision_with_blanks(revision.place);
    }
}
