//! The names of tables and columns as constants: `schema::documents::TITLE`, for the functions that `run` calls.
//!
//! They are those of the schema at the `run` step; with several `run` steps, those that are there at every one. What
//! history took away isn't there, so a step that still speaks of it no longer compiles.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use migrate_core::name::{DEFAULT_SCHEMA, Name, QualifiedName};
use migrate_core::schema::{Column, ObjectKey, Schema, Table};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

/// Modules within modules, and constants in them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tree {
    pub documentation: String,
    pub modules: BTreeMap<String, Self>,
    pub constants: BTreeMap<String, Constant>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Constant {
    pub value: String,
    pub documentation: String,
}

impl Tree {
    /// What is in all of these schemas.
    pub fn of(schemas: &[Schema]) -> Self {
        let mut tree = Self {
            documentation: "The tables and columns that are there when the functions of this migration run.".into(),
            ..Self::default()
        };
        let Some((last, others)) = schemas.split_last() else { return tree };
        let mut taken: BTreeMap<(String, String), Vec<&Table>> = BTreeMap::new();
        for table in last.tables.values().filter(|table| others.iter().all(|other| other.tables.contains_key(&table.name))) {
            taken.entry((schema_module(&table.name), module(&table.name.name))).or_default().push(table);
        }
        for ((schema, module), tables) in taken {
            let parent = match schema.as_str() {
                "" => &mut tree,
                name => tree
                    .modules
                    .entry(name.to_owned())
                    .or_insert_with(|| Self { documentation: format!("The schema `{}`.", tables[0].name.schema), ..Self::default() }),
            };
            match tables.as_slice() {
                [table] => parent.modules.entry(module).or_default().fill(table, last, others),
                several => parent.left_out(&several.iter().map(|table| table.name.to_string()).collect::<Vec<_>>(), &module),
            }
        }
        tree
    }

    fn fill(&mut self, table: &Table, schema: &Schema, others: &[Schema]) {
        let said = std::mem::take(&mut self.documentation);
        self.documentation = format!("The table `{}`{}.{said}", table.name, by(schema, &ObjectKey::Table(table.name.clone())));
        let value = if table.name.schema == DEFAULT_SCHEMA { table.name.name.quoted() } else { table.name.quoted() };
        let documentation = format!("The table `{}` itself.", table.name);
        let mut columns: BTreeMap<String, Vec<&Column>> = BTreeMap::new();
        let everywhere = |column: &&Column| others.iter().all(|other| other.column(&table.name, column.name.as_str()).is_some());
        for column in table.columns.iter().filter(everywhere) {
            columns.entry(constant(&column.name)).or_default().push(column);
        }
        self.constants.insert("TABLE".to_owned(), Constant { value, documentation });
        for (constant, columns) in columns {
            match columns.as_slice() {
                [column] if constant != "TABLE" => {
                    let documentation = describe(column, &table.name, schema);
                    self.constants.insert(constant, Constant { value: column.name.quoted(), documentation });
                }
                [column] => self.left_out(&[column.name.to_string()], &constant),
                several => self.left_out(&several.iter().map(|column| column.name.to_string()).collect::<Vec<_>>(), &constant),
            }
        }
    }

    fn left_out(&mut self, names: &[String], identifier: &str) {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let verb = if names.len() == 1 { "is" } else { "are" };
        let _ = write!(self.documentation, "\n\nNot here {verb} {}, which would be `{identifier}` too.", names.join(" and "));
    }

    /// Says whether something stands there.
    pub fn has(&self, path: &[String]) -> bool {
        match path {
            [] => true,
            [last] => self.constants.contains_key(last) || self.modules.contains_key(last),
            [first, rest @ ..] => self.modules.get(first).is_some_and(|module| module.has(rest)),
        }
    }

    /// Puts something there, so that nobody but us complains that it isn't: a constant, or a module where the name is one's.
    pub fn stand_in(&mut self, path: &[String]) {
        match path {
            [] => {}
            [last] if last.chars().any(char::is_uppercase) => {
                self.constants.entry(last.clone()).or_default();
            }
            [first, rest @ ..] => self.modules.entry(first.clone()).or_default().stand_in(rest),
        }
    }

    /// What is in the module.
    pub fn expand(&self) -> TokenStream {
        let modules = self.modules.iter().map(|(name, module)| {
            let (name, content, documentation) = (identifier(name), module.expand(), &module.documentation);
            quote! { #[doc = #documentation] pub mod #name { #content } }
        });
        let constants = self.constants.iter().map(|(name, Constant { value, documentation })| {
            let name = identifier(name);
            quote! { #[doc = #documentation] pub const #name: &str = #value; }
        });
        quote! { #(#constants)* #(#modules)* }
    }
}

fn describe(column: &Column, table: &QualifiedName, schema: &Schema) -> String {
    let not_null = if column.not_null { ", not null" } else { "" };
    let key = ObjectKey::Column(table.clone(), column.name.clone());
    format!("`{}` of `{table}`: `{}`{not_null}{}.", column.name, column.data_type.sql(), by(schema, &key))
}

fn by(schema: &Schema, key: &ObjectKey) -> String {
    schema.origin_of(key).and_then(migrate_core::schema::Origin::place).map(|place| format!(", created by {place}")).unwrap_or_default()
}

/// The module of a table's schema; none for the default one.
pub fn schema_module(table: &QualifiedName) -> String {
    if table.schema == DEFAULT_SCHEMA { String::new() } else { module(&table.schema) }
}

/// The name of a module.
pub fn module(name: &Name) -> String {
    plain(&name.as_str().to_lowercase())
}

/// The name of a constant.
pub fn constant(name: &Name) -> String {
    plain(&name.as_str().to_uppercase())
}

fn plain(name: &str) -> String {
    let mut plain: String = name.chars().map(|character| if character.is_ascii_alphanumeric() { character } else { '_' }).collect();
    if plain.is_empty() || plain == "_" || plain.starts_with(|first: char| first.is_ascii_digit()) {
        plain.insert(0, '_');
    }
    if plain == "_" {
        plain.push('_');
    }
    plain
}

/// The words that are no names, not even with `r#`.
const NEVER_NAMES: &[&str] = &["crate", "self", "super"];

const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else", "enum", "extern", "false",
    "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub",
    "ref", "return", "static", "struct", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while",
    "yield",
];

fn identifier(name: &str) -> Ident {
    if NEVER_NAMES.contains(&name) {
        Ident::new(&format!("{name}_"), Span::call_site())
    } else if KEYWORDS.contains(&name) {
        Ident::new_raw(name, Span::call_site())
    } else {
        Ident::new(name, Span::call_site())
    }
}
