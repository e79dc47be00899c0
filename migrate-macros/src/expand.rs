//! The Rust that the macros leave behind: constant data.

use std::collections::BTreeMap;

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
    let functions = if broken { Functions::default() } else { functions(migration, report) };
    let (names, identifiers, wrappers) = functions.once.expand("step", &quote! {}, &quote! { ::migrate_runtime::StepFuture });
    let batch = quote! { , batch: &'a ::migrate_runtime::Batch };
    let (batch_names, batch_identifiers, batch_wrappers) =
        functions.batched.expand("batch", &batch, &quote! { ::migrate_runtime::BatchFuture });
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
    quote! {
        #attributes
        #[doc = #documentation]
        #visibility mod #name {
            #[allow(unused_imports)]
            use ::migrate_runtime::prelude::*;
            #items
            #schema
            #(#wrappers)*
            #(#batch_wrappers)*
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
                batch_functions: &[#((#batch_names, #batch_identifiers)),*],
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

/// The functions that `run` names.
#[derive(Default)]
struct Functions {
    once: Calls,
    /// Those that get batches.
    batched: Calls,
}

/// Functions by the path that was written, each with its call.
#[derive(Default)]
struct Calls(BTreeMap<String, TokenStream>);

impl Calls {
    /// The paths, and functions of one signature that make the calls, with their names.
    fn expand(self, kind: &str, arguments: &TokenStream, future: &TokenStream) -> (Vec<String>, Vec<Ident>, Vec<TokenStream>) {
        let named = self.0.into_iter().enumerate().map(|(i, (path, call))| {
            let identifier = Ident::new(&format!("__{kind}_{i}"), Span::call_site());
            let wrapper = quote! {
                fn #identifier<'a, 'c>(tx: &'a mut ::migrate_runtime::Tx<'c> #arguments) -> #future<'a> {
                    #call
                }
            };
            (path, (identifier, wrapper))
        });
        let (paths, named): (Vec<_>, Vec<_>) = named.unzip();
        let (identifiers, wrappers) = named.into_iter().unzip();
        (paths, identifiers, wrappers)
    }
}

fn functions(migration: &Migration, report: &Report) -> Functions {
    let mut functions = Functions::default();
    let down = migration.down.iter().flatten();
    let mut open: Vec<&Statement> = migration.up.iter().chain(down).collect();
    while let Some(statement) = open.pop() {
        match &statement.kind {
            StatementKind::Run { function, over } => {
                let (calls, arguments): (_, &[&str]) =
                    if over.is_some() { (&mut functions.batched, &["tx", "batch"]) } else { (&mut functions.once, &["tx"]) };
                calls.0.insert(path_text(function), call(function, arguments, report));
            }
            StatementKind::IfExists { body, .. } | StatementKind::Dialect { body, .. } => open.extend(body),
            StatementKind::Sql(_) | StatementKind::Include { .. } | StatementKind::Assert { .. } => {}
        }
    }
    functions
}

fn call(function: &FunctionPath, arguments: &[&str], report: &Report) -> TokenStream {
    let segments: Vec<Ident> = function.segments.iter().map(|segment| Ident::new(&segment.value, report.span(segment.place))).collect();
    let span = segments.last().map_or_else(Span::call_site, Ident::span);
    let global = function.global.then(|| quote! { :: });
    // all of it stands at the word, so that whatever is wrong with the function is told there
    let path = quote_spanned! { span => #global #(#segments)::* };
    let arguments = arguments.iter().map(|argument| Ident::new(argument, span));
    let arguments = quote! { (#(#arguments),*) };
    quote_spanned! { span => ::std::boxed::Box::pin(#path #arguments) }
}
