//! What the functions of a migration say of `schema::…`.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

/// What is in the items of a module.
#[derive(Debug, Default)]
pub struct Uses {
    /// All paths that begin with `schema`, without that word.
    pub paths: Vec<Vec<Ident>>,
    /// All `a::B`, where `a` may be a name that was imported from there.
    pub members: Vec<(Ident, Ident)>,
    /// Whether the word stands there at all.
    pub mentioned: bool,
    /// Whether the author has a `schema` of their own.
    pub own: bool,
    /// Whether names come in of which we don't know what they are.
    pub glob: bool,
}

impl Uses {
    /// Reads the items.
    pub fn of(items: &TokenStream) -> Self {
        let mut uses = Self::default();
        let trees: Vec<TokenTree> = items.clone().into_iter().collect();
        uses.items(&trees);
        uses.read(&trees);
        uses
    }

    /// The items themselves: what defines or imports the name.
    fn items(&mut self, trees: &[TokenTree]) {
        for (at, tree) in trees.iter().enumerate() {
            if is_word(Some(tree), "mod") && is_word(trees.get(at + 1), "schema") {
                self.own = true;
            }
            if is_word(Some(tree), "use") {
                let end = trees.iter().skip(at).position(|tree| is_mark(Some(tree), ';')).map_or(trees.len(), |end| at + end);
                self.import(trees.get(at + 1..end).unwrap_or_default(), true);
            }
        }
    }

    fn import(&mut self, trees: &[TokenTree], first: bool) {
        let ours = first && (is_word(trees.first(), "schema") || is_word(trees.first(), "self") && is_word(trees.get(3), "schema"));
        for (at, tree) in trees.iter().enumerate() {
            match tree {
                TokenTree::Group(group) => self.import(&group.stream().into_iter().collect::<Vec<_>>(), false),
                TokenTree::Punct(mark) if mark.as_char() == '*' && !ours => self.glob = true,
                tree if is_word(Some(tree), "schema") => {
                    let next = trees.get(at + 1);
                    self.own |= !is_mark(next, ':') && !is_word(next, "as");
                }
                _ => {}
            }
        }
    }

    fn read(&mut self, trees: &[TokenTree]) {
        let mut at = 0;
        while let Some(tree) = trees.get(at) {
            let after_path = at >= 2 && separator(trees, at - 2);
            let of_self = at >= 3 && is_word(trees.get(at - 3), "self");
            match tree {
                TokenTree::Group(group) => self.read(&group.stream().into_iter().collect::<Vec<_>>()),
                TokenTree::Ident(word) if word == "schema" => {
                    self.mentioned = true;
                    if separator(trees, at + 1) && (!after_path || of_self) {
                        self.path(trees.get(at + 3..).unwrap_or_default(), &mut Vec::new());
                    }
                }
                TokenTree::Ident(word) if !after_path && separator(trees, at + 1) => {
                    if let Some(TokenTree::Ident(member)) = trees.get(at + 3) {
                        self.members.push((word.clone(), member.clone()));
                    }
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// What follows `schema::`: a path, or what `use` makes of it.
    fn path(&mut self, trees: &[TokenTree], prefix: &mut Vec<Ident>) {
        match trees.first() {
            Some(TokenTree::Ident(name)) if name == "self" => self.paths.push(prefix.clone()),
            Some(TokenTree::Ident(name)) => {
                prefix.push(name.clone());
                if separator(trees, 1) {
                    self.path(trees.get(3..).unwrap_or_default(), prefix);
                } else {
                    self.paths.push(prefix.clone());
                }
                prefix.pop();
            }
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let inside: Vec<TokenTree> = group.stream().into_iter().collect();
                for branch in inside.split(|tree| is_mark(Some(tree), ',')) {
                    self.path(branch, prefix);
                }
            }
            _ => {}
        }
    }
}

/// A name without `r#`.
pub fn plain(name: &Ident) -> String {
    let name = name.to_string();
    name.strip_prefix("r#").unwrap_or(&name).to_owned()
}

fn is_word(tree: Option<&TokenTree>, word: &str) -> bool {
    matches!(tree, Some(TokenTree::Ident(found)) if found == word)
}

fn is_mark(tree: Option<&TokenTree>, character: char) -> bool {
    matches!(tree, Some(TokenTree::Punct(mark)) if mark.as_char() == character)
}

fn separator(trees: &[TokenTree], at: usize) -> bool {
    is_mark(trees.get(at), ':') && is_mark(trees.get(at + 1), ':')
}
