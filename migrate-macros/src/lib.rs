//! The macros behind `migrate_runtime::migration` and `migrate_runtime::migrations`.
//!
//! Tokens are parsed into plain data, lowered to the operations of core, checked against the schema that the ancestors
//! leave, and emitted as constants. Nothing here has rules of its own about SQL or schemas.

mod ancestry;
mod arguments;
mod as_written;
mod chain;
mod check;
mod constants;
mod expand;
mod grammar;
mod heads;
mod hover;
mod levels;
mod lexeme;
mod lints;
mod list;
mod literal;
mod lock;
mod messages;
mod module;
mod nearest;
mod parsed;
mod report;
mod siblings;
mod sources;
mod spelling;
mod sql;
mod statement;
mod steps;
#[cfg(test)]
mod tests;
mod token;
mod typed;
mod uses;

use proc_macro::TokenStream;
use report::Report;

/// Marks a module as one migration of the chain.
#[proc_macro_attribute]
pub fn migration(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut report = Report::new();
    let Some((module, migration)) = module::parse(arguments.into(), item.clone().into(), &mut report) else {
        let rest = module::stand_in(item.into());
        return [rest, report.compile_errors()].into_iter().collect::<proc_macro2::TokenStream>().into();
    };
    // statements that can't be read hold placeholders: what is wrong with those is nobody's mistake
    let checked = if report.problems().is_empty() { check::check(&migration, &mut report) } else { check::Checked::default() };
    let schema = typed::schema(&module.items, &migration, &checked, &mut report);
    expand::migration(&module, &migration, &checked, &schema, &report).into()
}

/// Lists the modules of the chain.
#[proc_macro]
pub fn migrations(list: TokenStream) -> TokenStream {
    let mut report = Report::new();
    let list = list::parse(list.into(), &mut report);
    let chain = chain::check(&list, &mut report);
    expand::list(&list.items, &chain, &report).into()
}
