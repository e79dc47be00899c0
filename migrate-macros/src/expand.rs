//! The Rust that the macros leave behind: constant data.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{quote, quote_spanned};

use migrate_core::checksum::checksum;
use migrate_core::operation::Operate;
use migrate_core::step::{Action, Dialect, Step};

use crate::chain::Chain;
use crate::check::Checked;
use crate::module::{Migration, Module};
use crate::report::Report;
use crate::statement::{FunctionPath, Statement, StatementKind};
use crate::steps::path_text;

/// The module with its constant, and the constant again beside it for the list.
pub fn migration(module: &Module, migration: &Migration, checked: &Checked, report: &Report) -> TokenStream {
    let Module { attributes, visibility, name, items } = module;
    let errors = report.compile_errors();
    let broken = !report.problems().is_empty();
    let functions = if broken { Vec::new() } else { functions(migration, report) };
    let (names, wrappers): (Vec<_>, Vec<_>) = functions.into_iter().unzip();
    let identifiers: Vec<Ident> = (0..names.len()).map(|i| Ident::new(&format!("__step_{i}"), Span::call_site())).collect();
    let header = migration.header.as_ref();
    let revision = header.map(|header| header.revision.value.as_str()).unwrap_or_default();
    let parents = header.iter().flat_map(|header| header.parents.iter().map(|parent| parent.value.as_str()));
    let up = json(&checked.up);
    let down = match (&checked.down, &migration.irreversible) {
        (Some(steps), _) => {
            let steps = json(steps);
            quote! { ::migrate_runtime::Down::Written(#steps) }
        }
        (None, Some(reason)) => {
            let reason = reason.value.as_str();
            quote! { ::migrate_runtime::Down::Irreversible(#reason) }
        }
        (None, None) => quote! { ::migrate_runtime::Down::Derived },
    };
    let checksum = checksum(&checked.up, checked.down.as_deref().unwrap_or_default());
    let summary = migration.documentation.as_deref().unwrap_or_default().lines().next().unwrap_or_default();
    let (file, called) = (checked.file.as_str(), checked.name.as_str());
    let documentation = if broken { String::new() } else { documentation(migration, checked) };
    let includes = checked.includes.iter().filter(|_| !broken);
    let wrappers = identifiers.iter().zip(&wrappers).map(|(identifier, call)| {
        quote! {
            fn #identifier<'a, 'c>(tx: &'a mut ::migrate_runtime::Tx<'c>) -> ::migrate_runtime::StepFuture<'a> {
                #call
            }
        }
    });
    quote! {
        #attributes
        #[doc = #documentation]
        #visibility mod #name {
            #[allow(unused_imports)]
            use ::migrate_runtime::prelude::*;
            #items
            #(#wrappers)*
            #(const _: &[u8] = include_bytes!(#includes);)*
            pub(super) const MIGRATION: &::migrate_runtime::Migration = &::migrate_runtime::Migration {
                revision: #revision,
                parents: &[#(#parents),*],
                name: #called,
                file: #file,
                summary: #summary,
                checksum: #checksum,
                up: #up,
                down: #down,
                functions: &[#((#names, #identifiers)),*],
            };
        }
        #[allow(dead_code)]
        pub(crate) const MIGRATION: &::migrate_runtime::Migration = #name::MIGRATION;
        #errors
    }
}

/// The modules of the list and the chain as one constant.
pub fn list(items: &TokenStream, chain: &Chain, report: &Report) -> TokenStream {
    let errors = report.compile_errors();
    let modules = chain.modules.iter().map(|module| match module.strip_prefix("r#") {
        Some(raw) => Ident::new_raw(raw, Span::call_site()),
        None => Ident::new(module, Span::call_site()),
    });
    let file = chain.file.as_str();
    // whoever edits the lock wants to know what the compiler says of it
    let lock = chain.has_lock.then(|| {
        let file = migrate_core::lock::FILE;
        quote! { const _: &[u8] = include_bytes!(#file); }
    });
    quote! {
        #items
        /// The chain, parents before children.
        pub const MIGRATIONS: ::migrate_runtime::Migrations =
            ::migrate_runtime::Migrations { migrations: &[#(#modules::MIGRATION),*], file: #file };
        #lock
        #errors
    }
}

#[expect(clippy::expect_used, reason = "the types of core have no map with other keys than strings, and no failing serialiser")]
fn json(steps: &[Step]) -> Literal {
    Literal::string(&serde_json::to_string(steps).expect("steps are JSON"))
}

/// The functions that `run` names, each with its call.
fn functions(migration: &Migration, report: &Report) -> Vec<(String, TokenStream)> {
    let mut functions: Vec<(String, TokenStream)> = Vec::new();
    let down = migration.down.iter().flatten();
    let mut open: Vec<&Statement> = migration.up.iter().chain(down).collect();
    while let Some(statement) = open.pop() {
        match &statement.kind {
            StatementKind::Run { function } => {
                let name = path_text(function);
                if !functions.iter().any(|(known, _)| *known == name) {
                    functions.push((name, call(function, report)));
                }
            }
            StatementKind::IfExists { body, .. } | StatementKind::Dialect { body, .. } => open.extend(body),
            StatementKind::Sql(_) | StatementKind::Include { .. } | StatementKind::Assert { .. } => {}
        }
    }
    functions.sort_by(|left, right| left.0.cmp(&right.0));
    functions
}

fn call(function: &FunctionPath, report: &Report) -> TokenStream {
    let segments: Vec<Ident> = function.segments.iter().map(|segment| Ident::new(&segment.value, report.span(segment.place))).collect();
    let span = segments.last().map_or_else(Span::call_site, Ident::span);
    let global = function.global.then(|| quote! { :: });
    // all of it stands at the word, so that whatever is wrong with the function is told there
    let path = quote_spanned! { span => #global #(#segments)::* };
    let tx = Ident::new("tx", span);
    let arguments = quote! { (#tx) };
    quote_spanned! { span => ::std::boxed::Box::pin(#path #arguments) }
}

/// What runs, up and down, for the reader of the documentation and for whoever hovers over the module.
fn documentation(migration: &Migration, checked: &Checked) -> String {
    let mut text = String::from("\n\n# Up\n");
    text.push_str(&steps_text(&checked.up));
    if checked.locked {
        text.push_str("\nLocked in `migrations.lock`: what it does can't be edited any more.\n");
    }
    text.push_str("\n# Down\n");
    match (&checked.down, &migration.irreversible) {
        (Some(steps), _) => text.push_str(&steps_text(steps)),
        (None, Some(reason)) => {
            text.push_str("\nIrreversible: ");
            text.push_str(&reason.value);
            text.push('\n');
        }
        (None, None) => text.push_str(&fenced(&checked.derived.iter().flat_map(|sql| [sql.as_str(), ";\n"]).collect::<String>())),
    }
    text
}

fn steps_text(steps: &[Step]) -> String {
    let mut sql = String::new();
    for step in steps {
        match (&step.action, step.dialect) {
            (Action::Change(operation), dialect) => {
                if dialect == Some(Dialect::Sqlite) {
                    sql.push_str("-- only on SQLite\n");
                }
                for statement in operation.render() {
                    sql.push_str(&statement);
                    sql.push_str(";\n");
                }
            }
            (Action::Run { .. } | Action::Assert { .. }, _) => {
                sql.push_str("-- ");
                sql.push_str(&step.describe().replace('\n', " "));
                sql.push('\n');
            }
            (Action::Declare { .. }, _) => {}
        }
    }
    fenced(&sql)
}

fn fenced(sql: &str) -> String {
    if sql.is_empty() { "\nNothing.\n".to_owned() } else { format!("\n````sql\n{sql}````\n") }
}
