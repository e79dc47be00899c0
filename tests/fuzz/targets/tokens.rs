//! Rust tokens → SQL text → operations: whatever a lexer accepts, nothing panics, and what is wrong is told at a token.
//!
//! A procedural macro can't be called from outside a compiler, so its modules are compiled into the target. The text is
//! the arguments of `#[migration(…)]` and, behind the first line, its item; and once more a list of migrations.
#![no_main]
#![allow(dead_code, missing_docs, reason = "the macro's own modules, of which not all is called here")]

#[path = "../../../migrate-macros/src/ancestry.rs"]
mod ancestry;
#[path = "../../../migrate-macros/src/arguments.rs"]
mod arguments;
#[path = "../../../migrate-macros/src/chain.rs"]
mod chain;
#[path = "../../../migrate-macros/src/check.rs"]
mod check;
#[path = "../../../migrate-macros/src/constants.rs"]
mod constants;
#[path = "../../../migrate-macros/src/expand.rs"]
mod expand;
#[path = "../../../migrate-macros/src/grammar.rs"]
mod grammar;
#[path = "../../../migrate-macros/src/heads.rs"]
mod heads;
#[path = "../../../migrate-macros/src/hover.rs"]
mod hover;
#[path = "../../../migrate-macros/src/levels.rs"]
mod levels;
#[path = "../../../migrate-macros/src/lexeme.rs"]
mod lexeme;
#[path = "../../../migrate-macros/src/lints.rs"]
mod lints;
#[path = "../../../migrate-macros/src/list.rs"]
mod list;
#[path = "../../../migrate-macros/src/literal.rs"]
mod literal;
#[path = "../../../migrate-macros/src/lock.rs"]
mod lock;
#[path = "../../../migrate-macros/src/messages.rs"]
mod messages;
#[path = "../../../migrate-macros/src/module.rs"]
mod module;
#[path = "../../../migrate-macros/src/nearest.rs"]
mod nearest;
#[path = "../../../migrate-macros/src/parsed.rs"]
mod parsed;
#[path = "../../../migrate-macros/src/report.rs"]
mod report;
#[path = "../../../migrate-macros/src/siblings.rs"]
mod siblings;
#[path = "../../../migrate-macros/src/sources.rs"]
mod sources;
#[path = "../../../migrate-macros/src/spelling.rs"]
mod spelling;
#[path = "../../../migrate-macros/src/sql.rs"]
mod sql;
#[path = "../../../migrate-macros/src/statement.rs"]
mod statement;
#[path = "../../../migrate-macros/src/steps.rs"]
mod steps;
#[path = "../../../migrate-macros/src/token.rs"]
mod token;
#[path = "../../../migrate-macros/src/typed.rs"]
mod typed;
#[path = "../../../migrate-macros/src/uses.rs"]
mod uses;

use libfuzzer_sys::fuzz_target;
use proc_macro2::TokenStream;

fuzz_target!(|text: &str| {
    let (arguments, item) = text.split_once('\n').unwrap_or(("revision = \"1\"", text));
    let (Ok(arguments), Ok(item)) = (arguments.parse::<TokenStream>(), item.parse::<TokenStream>()) else { return };
    let mut report = report::Report::new();
    if let Some((module, migration)) = module::parse(arguments, item.clone(), &mut report) {
        let checked = if report.problems().is_empty() { check::check(&migration, &mut report) } else { check::Checked::default() };
        let schema = typed::schema(&module.items, &migration, &checked, &mut report);
        let emitted = expand::migration(&module, &migration, &checked, &schema, &report);
        // the compiler calls the macro for what is an item only, an editor for anything
        if report.problems().is_empty() && syn::parse2::<syn::Item>(item.clone()).is_ok() {
            syn::parse2::<syn::File>(emitted.clone()).unwrap_or_else(|error| panic!("{error} in {emitted}"));
        }
    }
    let _ = list::parse(item, &mut report::Report::new());
    let _ = sources::parse(text);
    proc_macro2::extra::invalidate_current_thread_spans();
});
