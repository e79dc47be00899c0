//! The attribute and the module below it.

use super::{complaints, seen, tokens};
use crate::module::{self, Migration, Module};
use crate::report::Report;

fn parse(arguments: &str, item: &str) -> (Option<(Module, Migration)>, Report) {
    let mut report = Report::new();
    let parsed = module::parse(tokens(arguments), tokens(item), &mut report);
    (parsed, report)
}

fn good(arguments: &str, item: &str) -> (Module, Migration) {
    let (parsed, report) = parse(arguments, item);
    assert_eq!(complaints(&report), []);
    parsed.unwrap_or_else(|| panic!("no module in {item}"))
}

const ROOT: &str = "revision = \"a1\"";

fn parents(arguments: &str) -> Vec<String> {
    let (_, migration) = good(arguments, "mod m { up! { } }");
    let header = migration.header.unwrap_or_else(|| panic!("no header in {arguments}"));
    assert_eq!(header.revision.value, "a1");
    header.parents.into_iter().map(|parent| parent.value).collect()
}

#[test]
fn the_attribute_says_where_the_migration_stands() {
    assert_eq!(parents(ROOT), [""; 0]);
    assert_eq!(parents("revision = \"a1\", parent = \"b2\","), ["b2"]);
    assert_eq!(parents("parents = [\"b2\", \"c3\",], revision = r\"a1\""), ["b2", "c3"]);
}

fn argument_mistakes(arguments: &str) -> Vec<(String, String)> {
    complaints(&parse(arguments, "mod m { up! { } }").1)
}

fn complaint(under: &str, message: &str) -> Vec<(String, String)> {
    vec![(under.to_owned(), message.to_owned())]
}

#[test]
fn every_wrong_argument_has_its_message() {
    assert_eq!(argument_mistakes(""), complaint("m", "the migration has no revision"));
    assert_eq!(argument_mistakes("parent = \"b2\""), complaint("parent = \"b2\"", "the migration has no revision"));
    assert_eq!(argument_mistakes("revision = \"\""), complaint("\"\"", "a revision needs at least one character"));
    assert_eq!(argument_mistakes("revision = \"a b\""), complaint("\"a b\"", "a revision cannot contain blanks or control characters"));
    assert_eq!(argument_mistakes("revision = \"a\", parent = \"\""), complaint("\"\"", "a revision needs at least one character"));
    assert_eq!(argument_mistakes("revision = \"a\", revision = \"b\""), complaint("revision", "`revision` is given twice"));
    assert_eq!(
        argument_mistakes("revision = \"a\", parents = [\"b\"], parent = \"b\""),
        complaint("parent", "`parent` and `parents` exclude each other")
    );
    assert_eq!(argument_mistakes("revision"), complaint("revision", "`revision` needs a string"));
    assert_eq!(argument_mistakes("revision = 1"), complaint("revision = 1", "`revision` needs a string"));
    assert_eq!(
        argument_mistakes("revision = \"a\" parent = \"b\""),
        complaint("revision = \"a\" parent = \"b\"", "`revision` needs a string")
    );
    assert_eq!(argument_mistakes("\"a1\""), complaint("\"a1\"", "expected an argument"));
    for parents in ["parents", "parents = \"b\"", "parents = []"] {
        assert_eq!(argument_mistakes(&format!("revision = \"a\", {parents}")), complaint(parents, "`parents` needs a list of strings"));
    }
    assert_eq!(argument_mistakes("revision = \"a\", parents = [\"b\", c]"), complaint("c", "`parents` needs a list of strings"));
    assert_eq!(argument_mistakes("revision = \"a\", parents = [\"b\", \"b\"]"), complaint("\"b\"", "`b` is listed twice as a parent"));
    assert_eq!(argument_mistakes("revision = 'a'"), complaint("'a'", "`'a'` is not a string in Rust tokens"));
}

#[test]
fn a_misspelt_argument_names_the_nearest() {
    let (_, report) = parse("revison = \"a\"", "mod m { up! { } }");
    let found = seen(&report);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].message, "`revison` is not an argument of `migration`");
    assert_eq!(found[0].help.as_deref(), Some("write `revision`"));
    let (_, report) = parse("revision = \"a\", transaction = false", "mod m { up! { } }");
    assert_eq!(seen(&report)[0].help.as_deref(), Some("the arguments are `revision`, `parent`, `parents`"));
}

#[test]
fn blocks_are_taken_out_and_rust_stays() {
    let item = r#"
        /// Adds titles.
        ///
        /// Twice.
        #[cfg(unix)]
        pub(crate) mod titles {
            use super::{a, b};
            up! { create table t (a int); run backfill; }
            const LIST: Option<fn() -> Vec<u8>> = Some(|| { vec![1] });
            #[doc = "Undone."]
            down! { drop table t; }
            optional! { create table o (); }
            external![ create table e (); ];
            optional!( create table p (); );
            macro_rules! up_to { () => {} }
            const fn zero() -> u8 { 0 }
            struct Marker;
            crate::helper! { x }
            async fn backfill(tx: &mut Tx<'_>) -> Result<()> { up!(); Ok(()) }
        }"#;
    let (module, migration) = good(ROOT, item);
    assert_eq!(migration.name.value, "titles");
    assert_eq!(migration.documentation.as_deref(), Some("Adds titles.\n\nTwice."));
    assert_eq!(
        (migration.up.len(), migration.down.as_ref().map(Vec::len), migration.optional.len(), migration.external.len()),
        (2, Some(1), 2, 1)
    );
    assert!(module.attributes.to_string().contains("cfg"));
    assert_eq!(module.visibility.to_string(), "pub (crate)");
    let rust = module.items.to_string();
    for kept in ["use super", "const LIST", "macro_rules ! up_to", "const fn zero", "struct Marker ;", "crate :: helper ! { x }"] {
        assert!(rust.contains(kept), "{kept} in {rust}");
    }
    assert!(rust.contains("async fn backfill") && rust.contains("up ! ()"), "{rust}");
    assert!(!rust.contains("create table") && !rust.contains("drop table"), "{rust}");
}

#[test]
fn unfinished_rust_beside_the_blocks_is_left_to_the_compiler() {
    let (module, migration) = good(ROOT, "mod m { up! { select 1; } async fn f() { x. } impl }");
    assert_eq!(migration.up.len(), 1);
    assert!(module.items.to_string().contains("x ."));
}

#[test]
fn irreversible_needs_a_reason() {
    let (_, migration) = good(ROOT, "mod m { up! { } irreversible!(\"data is gone\"); }");
    assert_eq!(migration.irreversible.map(|reason| reason.value).as_deref(), Some("data is gone"));
    let message = "`irreversible!` gives no reason";
    for (block, under) in [("()", "irreversible"), ("(\"\")", "\"\""), ("(because)", "because"), ("{\"a\", \"b\"}", "\"a\", \"b\"")] {
        let (_, report) = parse(ROOT, &format!("mod m {{ up! {{ }} irreversible!{block}; }}"));
        assert_eq!(complaints(&report), complaint(under, message));
    }
}

#[test]
fn every_wrong_module_has_its_message() {
    let mistakes = |item: &str| complaints(&parse(ROOT, item).1);
    assert_eq!(mistakes("mod m { fn f() { } }"), complaint("m", "the migration `m` has no `up!`"));
    assert_eq!(mistakes("mod m { up! { } up! { } }"), complaint("up", "a second `up!` in the same migration"));
    assert_eq!(
        mistakes("mod m { up! { } irreversible!(\"x\"); down! { } }"),
        complaint("down", "a migration with `down!` is not irreversible")
    );
    assert_eq!(mistakes("mod m;"), complaint("m", "`mod m;` has no body that the macro can see"));
    assert_eq!(mistakes("fn f() { }"), complaint("fn", "`#[migration]` goes on a module"));
    assert_eq!(mistakes("pub struct S;"), complaint("struct", "`#[migration]` goes on a module"));
    assert_eq!(mistakes("mod m { #[cfg(unix)] up! { } }"), complaint("up", "an attribute has no meaning on `up!`"));
}

#[test]
fn an_unknown_block_names_the_nearest_and_is_one_mistake() {
    let (_, report) = parse(ROOT, "mod m { upp! { select 1; } }");
    let found = seen(&report);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].under.as_str(), found[0].message.as_str()), ("upp", "`upp!` is not a block of a migration"));
    assert_eq!(found[0].help.as_deref(), Some("write `up!`"));
    let (_, report) = parse(ROOT, "mod m { up! { } thread_local! { } }");
    assert_eq!(
        seen(&report)[0].help.as_deref(),
        Some("the blocks are `up`, `down`, `irreversible`, `optional`, `external`; call other macros by a path")
    );
}

#[test]
fn problems_of_all_parts_are_collected_in_order() {
    let (_, report) = parse("parent = 1", "mod m { down! { select 'a'; } #[x] up! { select 1i8; } }");
    let under: Vec<String> = complaints(&report).into_iter().map(|(under, _)| under).collect();
    assert_eq!(under, ["parent = 1", "'a'", "up", "1i8"]);
    let errors = report.compile_errors().to_string();
    assert_eq!(errors.matches("compile_error").count(), 4, "{errors}");
}
