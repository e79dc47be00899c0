//! What touches in the source touches in the text, with and without positions.

use super::{one, one_without_positions, tokens, without_positions};

/// Texts that come out as they went in, also where the tokens have no positions.
const UNCHANGED: [&str; 34] = [
    "select a::text",
    "select a::text[]",
    "create table t (a int[3], b text[][])",
    "select data->'a'",
    "select .5, .25 + 1.",
    "select 1., 1e-5, 1.5E+10",
    "select - 1, a - -1",
    "select $1, $2",
    "select a || b",
    "select a && b",
    "select a <@ b, a @> b",
    "select a ?| b, a ?& b",
    "select a !~* b, a ~~ b",
    "select a #>> b, a #> b, a #- b",
    "select a ->> b, a -> b",
    "select f(a => 1, b := 2)",
    "select a <> b, a != b, a <= b, a >= b",
    "select a @@ b, a @@@ b",
    "select a <-> b, a <#> b, a <=> b",
    "select a |/ b, a ||/ b",
    "select a ^@ b, a <<| b, a |>> b",
    "select a[1:2], a[:2], a[1:]",
    "select schema.table.column, t.*",
    "select (a).b, (a[1]).c, f().d",
    "select now(), count(*)",
    "select array[1, 2]",
    "select a % b, a ^ b, a | b, a & b, ~a",
    "select 1 .. 2",
    "select a!=-1",
    "select *, -.5",
    "select größe, _x, a1",
    "create operator === (leftarg = int)",
    "select operator(pg_catalog.+)",
    "alter type status add value if not exists E",
];

#[test]
fn operators_casts_arrays_and_numbers_survive() {
    for text in UNCHANGED {
        let rust = text.replace("'a'", "\"a\"");
        assert_eq!(one(&rust), text);
    }
}

#[test]
fn without_positions_only_blanks_differ() {
    for text in UNCHANGED {
        let rust = text.replace("'a'", "\"a\"");
        let found = one_without_positions(&rust);
        assert_eq!(super::postgres::lexemes(&found), super::postgres::lexemes(text), "{found}");
    }
}

#[test]
fn without_positions_the_text_is_still_pleasant() {
    assert_eq!(
        one_without_positions("create table s.t (a text[] default array[]::text[], b numeric(5, 2) check (b > .5));"),
        "create table s.t (a text[] default array[]::text[], b numeric (5, 2) check (b > .5))"
    );
    assert_eq!(one_without_positions("select f($1), now(), (a).b, -1, a.*, *;"), "select f ($1), now(), (a).b, - 1, a.*, *");
}

#[test]
fn lines_and_indentation_are_kept_relative_to_the_statement() {
    let block = "
        create table t (
            a int,

            b int
        );
            select 1;
        alter table t
            add column c int; select 2;
    ";
    assert_eq!(
        super::sql(block),
        ["create table t (\n    a int,\n    b int\n)", "select 1", "alter table t\n    add column c int", "select 2"]
    );
}

#[test]
fn comments_are_blanks() {
    assert_eq!(one("select a/* one */b // two\n, c"), "select a b\n, c");
    assert_eq!(one("select 1 -/**/- 1"), "select 1 - - 1");
    assert_eq!(one("select /// said\n 1"), "select\n 1");
    assert_eq!(one("//! said\n select 1"), "select 1");
}

#[test]
fn two_strings_on_two_lines_are_one_string_as_in_sql() {
    assert_eq!(one("select \"a\"\n       \"b\""), "select 'a'\n       'b'");
    assert_eq!(one_without_positions("select \"a\"\n \"b\""), "select 'a'\n'b'");
    assert_eq!(one("select \"a\" \"b\""), "select 'a' 'b'");
    assert_eq!(one("select \"a\"\"b\""), "select 'a' 'b'");
    assert_eq!(one("select @\"a\"@\"b\""), "select \"a\" \"b\"");
}

#[test]
fn what_other_macros_put_together_does_not_merge() {
    use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
    let mark = |character, spacing| TokenTree::from(Punct::new(character, spacing));
    let word = |name| TokenTree::from(Ident::new(name, Span::call_site()));
    let number = |number| TokenTree::from(Literal::i32_unsuffixed(number));
    let glued: TokenStream = [
        word("select"),
        mark('/', Spacing::Joint),
        mark('*', Spacing::Joint),
        mark('-', Spacing::Alone),
        number(-1),
        mark('$', Spacing::Alone),
        Literal::string("x").into(),
    ]
    .into_iter()
    .collect();
    assert_eq!(super::sql_of(glued), ["select / *- - 1 $'x'"]);

    let invisible = |stream| TokenTree::from(Group::new(Delimiter::None, stream));
    let joint: TokenStream = [word("a"), mark('>', Spacing::Joint)].into_iter().collect();
    let comparison: TokenStream = [mark('-', Spacing::Joint), invisible(joint), mark('=', Spacing::Alone)].into_iter().collect();
    assert_eq!(super::sql_of(comparison), ["- a > ="]);

    let mut substituted = tokens("select a ,");
    substituted.extend([invisible(tokens("b :: text"))]);
    substituted.extend(tokens("from t"));
    assert_eq!(super::sql_of(without_positions(substituted)), ["select a, b::text from t"]);
}

#[test]
fn raw_identifiers_lose_their_prefix() {
    assert_eq!(one("select r#type, r#match from t"), "select type, match from t");
}

#[test]
fn dollars_inside_names_and_before_numbers_are_no_quotes() {
    assert_eq!(one("select a$b, a$b$c, $1"), "select a$b, a$b$c, $1");
}
