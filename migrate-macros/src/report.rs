//! Where things stand, and what is wrong with them.

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::quote;

/// A run of tokens of this expansion, from the first to the last, both included.
///
/// A `Span` is a handle that dies with the expansion and may not cross threads. A place is a plain pair of numbers, so
/// everything that is read from tokens can be compared, cached and kept; a [`Report`] turns it back into spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    first: u32,
    last: u32,
}

impl Place {
    /// The macro's own name, for what has no token.
    pub const CALL_SITE: Self = Self { first: 0, last: 0 };

    /// The number of its first token.
    pub fn first(self) -> usize {
        usize::try_from(self.first).unwrap_or(usize::MAX)
    }

    /// From the first token of this place to the last token of `other`.
    pub fn to(self, other: Self) -> Self {
        Self { first: self.first.min(other.first), last: self.last.max(other.last) }
    }
}

/// Something wrong in the migration's own text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The smallest run of wrong tokens.
    pub place: Place,
    /// What is wrong: lower case, no final period, names in backticks.
    pub message: String,
    /// What to do: one imperative sentence.
    pub help: Option<String>,
}

/// Something that only looks wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub place: Place,
    /// The rule that says so.
    pub lint: &'static str,
    /// Its message, with notes and help.
    pub text: String,
}

/// The spans of one expansion and the problems found in it.
#[derive(Debug)]
pub struct Report {
    spans: Vec<Span>,
    problems: Vec<Problem>,
    warnings: Vec<Warning>,
}

impl Report {
    /// Nothing read yet, nothing wrong.
    pub fn new() -> Self {
        Self { spans: vec![Span::call_site()], problems: Vec::new(), warnings: Vec::new() }
    }

    /// Remembers one token. Places are given out in the order of the source, which is how problems are sorted.
    pub fn place(&mut self, span: Span) -> Place {
        self.spans.push(span);
        // More than four thousand million tokens do not fit into a compiler either.
        let index = u32::try_from(self.spans.len() - 1).unwrap_or(u32::MAX);
        Place { first: index, last: index }
    }

    /// The span of a whole place where the compiler can join spans, otherwise of its first token.
    pub fn span(&self, place: Place) -> Span {
        let (first, last) = self.ends(place);
        first.join(last).unwrap_or(first)
    }

    /// The line of the place's first token, from 1; 0 where the compiler doesn't tell.
    pub fn line(&self, place: Place) -> u32 {
        u32::try_from(self.ends(place).0.start().line).unwrap_or(0)
    }

    /// The lines of all places, for a text whose tokens don't live as long as what was read from them.
    pub fn lines(&self) -> Vec<u32> {
        self.spans.iter().map(|span| u32::try_from(span.start().line).unwrap_or(0)).collect()
    }

    fn ends(&self, place: Place) -> (Span, Span) {
        let span_of =
            |index: u32| usize::try_from(index).ok().and_then(|index| self.spans.get(index)).copied().unwrap_or_else(Span::call_site);
        (span_of(place.first), span_of(place.last))
    }

    /// Adds a problem.
    pub fn problem(&mut self, place: Place, message: impl Into<String>, help: Option<String>) {
        self.problems.push(Problem { place, message: message.into(), help });
    }

    /// Adds a warning of a lint.
    pub fn warning(&mut self, place: Place, lint: &'static str, message: impl Into<String>, help: Option<&str>) {
        let help = help.map(|help| format!("\nhelp: {help}")).unwrap_or_default();
        self.warnings.push(Warning { place, lint, text: message.into() + &help });
    }

    /// Everything found so far, in the order in which it was found.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// One `compile_error!` for each problem, in the order of the source.
    pub fn compile_errors(&self) -> TokenStream {
        let mut problems: Vec<&Problem> = self.problems.iter().collect();
        problems.sort_by_key(|problem| problem.place);
        problems.dedup();
        problems.into_iter().map(|problem| self.compile_error(problem)).collect()
    }

    /// A macro can't warn on stable Rust, but what it emits can be deprecated: each warning is the use of a constant that
    /// is called like its lint.
    pub fn compile_warnings(&self) -> TokenStream {
        let mut warnings: Vec<&Warning> = self.warnings.iter().collect();
        warnings.sort_by_key(|warning| warning.place);
        warnings.dedup();
        let each = warnings.into_iter().map(|warning| {
            let text = &warning.text;
            let declared = Ident::new(warning.lint, Span::mixed_site());
            let used = Ident::new(warning.lint, self.ends(warning.place).0.resolved_at(Span::mixed_site()));
            quote! {
                const _: () = {
                    #[deprecated(note = #text)]
                    #[allow(non_upper_case_globals)]
                    const #declared: () = ();
                    #used
                };
            }
        });
        each.collect()
    }

    /// The compiler underlines a macro call from its path to its closing brace, so an error can cover several tokens
    /// although spans cannot be joined on stable.
    fn compile_error(&self, problem: &Problem) -> TokenStream {
        let (first, last) = self.ends(problem.place);
        let text = match &problem.help {
            Some(help) => format!("{}\nhelp: {help}", problem.message),
            None => problem.message.clone(),
        };
        let mark = |character, spacing, span| {
            let mut mark = Punct::new(character, spacing);
            mark.set_span(span);
            TokenTree::from(mark)
        };
        let mut literal = Literal::string(&text);
        literal.set_span(last);
        let mut group = Group::new(Delimiter::Brace, TokenTree::from(literal).into());
        group.set_span(last);
        [
            mark(':', Spacing::Joint, first),
            mark(':', Spacing::Alone, first),
            Ident::new("core", first).into(),
            mark(':', Spacing::Joint, first),
            mark(':', Spacing::Alone, first),
            Ident::new("compile_error", first).into(),
            mark('!', Spacing::Alone, first),
            group.into(),
        ]
        .into_iter()
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_come_out_in_the_order_of_the_source_and_once() {
        let mut report = Report::new();
        let early = report.place(Span::call_site());
        let late = report.place(Span::call_site());
        report.problem(late, "second", None);
        report.problem(early, "first", Some("do it".to_owned()));
        report.problem(late, "second", None);
        let errors = report.compile_errors().to_string();
        let first = errors.find(r#""first\nhelp: do it""#).expect("the first problem");
        let second = errors.find(r#""second""#).expect("the second problem");
        assert!(first < second, "{errors}");
        assert_eq!(errors.matches("compile_error").count(), 2, "{errors}");
    }

    #[test]
    fn a_place_of_several_tokens_keeps_both_ends() {
        let tokens: Vec<TokenTree> = "alpha beta gamma".parse::<TokenStream>().expect("tokens").into_iter().collect();
        let mut report = Report::new();
        let places: Vec<Place> = tokens.iter().map(|token| report.place(token.span())).collect();
        let whole = places[2].to(places[0]);
        let (first, last) = report.ends(whole);
        assert_eq!((first.start().column, last.end().column), (0, 16));
        assert_eq!(report.ends(Place { first: 90, last: 91 }).0.start(), Span::call_site().start());
    }
}
