//! The macros behind `migrate_runtime::migration` and `migrate_runtime::migrations`.
#![cfg_attr(not(test), expect(dead_code, reason = "the expansion reads what is parsed here"))]

mod arguments;
mod grammar;
mod lexeme;
mod list;
mod literal;
mod messages;
mod module;
mod nearest;
mod report;
mod siblings;
mod sources;
mod spelling;
mod sql;
mod statement;
#[cfg(test)]
mod tests;
mod token;

use proc_macro::TokenStream;
use report::Report;

/// Marks a module as one migration of the chain.
#[proc_macro_attribute]
pub fn migration(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut report = Report::new();
    let Some((module, _)) = module::parse(arguments.into(), item.clone().into(), &mut report) else {
        return [item, report.compile_errors().into()].into_iter().collect();
    };
    let module::Module { attributes, visibility, name, items } = module;
    let errors = report.compile_errors();
    quote::quote! { #attributes #visibility mod #name { #items } #errors }.into()
}

/// Lists the modules of the chain.
#[proc_macro]
pub fn migrations(list: TokenStream) -> TokenStream {
    let mut report = Report::new();
    let list = list::parse(list.into(), &mut report);
    let (items, errors) = (list.items, report.compile_errors());
    quote::quote! { #items #errors }.into()
}
