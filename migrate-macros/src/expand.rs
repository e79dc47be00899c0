//! The Rust that the macros leave behind: constant data.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{quote, quote_spanned};

use migrate_core::checksum::checksum;
use migrate_core::step::Step;

use crate::chain::Chain;
use crate::check::Checked;
use crate::hover;
use crate::module::{Migration, Module};
use crate::report::Report;
use crate::statement::{FunctionPath, Statement, StatementKind};
use crate::steps::path_text;

/// The module with its constant, and the constant again beside it for the list.
pub fn migration(module: &Module, migration: &Migration, checked: &Checked, schema: &TokenStream, report: &Report) -> TokenStream {
    let Module { attributes, visibility, name, items } = module;
    let (errors, warnings) = (report.compile_errors(), report.compile_warnings());
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
    let documentation = if broken { String::new() } else { hover::documentation(migration, checked, &|place| report.line(place)) };
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
            #schema
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
        #warnings
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
