//! Spelling: literals, quoted names, and the tokens that Rust admits and SQL does not.

use super::{complaints, one, one_without_positions, seen, sql, statements, statements_of, tokens, without_positions};

#[test]
fn strings_become_sql_strings() {
    assert_eq!(one(r#"select "pending", "it's", "", "say \"hi\"""#), r#"select 'pending', 'it''s', '', 'say "hi"'"#);
    assert_eq!(one(r#"select "a\nb\\c\t\u{e9}""#), "select 'a\nb\\c\té'");
    assert_eq!(one("select \"one\n  two\""), "select 'one\n  two'");
    assert_eq!(one(r#"select "--", "$$", "/*", ";""#), "select '--', '$$', '/*', ';'");
}

#[test]
fn raw_strings_become_dollar_quotes_under_a_free_tag() {
    assert_eq!(one(r##"do r#"begin perform 'x'; end"#"##), "do $$begin perform 'x'; end$$");
    assert_eq!(one(r#"do r"a\nb""#), r"do $$a\nb$$");
    assert_eq!(one(r#"do r"select $$x$$""#), "do $body$select $$x$$$body$");
    assert_eq!(one(r#"do r"price in $""#), "do $body$price in $$body$");
    assert_eq!(one(r#"do r"$$ $body$""#), "do $body2$$$ $body$$body2$");
    assert_eq!(one(r#"do r"$$ and $body""#), "do $body2$$$ and $body$body2$");
    assert_eq!(one(r#"do r"""#), "do $$$$");
}

#[test]
fn byte_strings_become_bytea() {
    assert_eq!(one(r#"insert into t values (b"a\x00\xff", b"")"#), r"insert into t values ('\x6100ff', '\x')");
}

#[test]
fn bit_strings_are_written_with_a_blank() {
    assert_eq!(one(r#"select b "101", X "1F""#), "select b'101', X'1F'");
    assert_eq!(one_without_positions(r#"select b "101""#), "select b'101'");
    assert_eq!(one(r#"select date "2020-01-01", interval "1 day""#), "select date '2020-01-01', interval '1 day'");
}

#[test]
fn numbers_lose_underscores_and_other_radixes() {
    assert_eq!(one("select 1_000_000, 0xff, 0o17, 0b101, 1_0.5_0"), "select 1000000, 255, 15, 5, 10.50");
}

#[test]
fn quoted_names_are_strings_after_an_at_sign() {
    assert_eq!(
        one(r#"create table @"Mixed Case" (@"a""b" int, @r"c\d" int)"#.replace("a\"\"b", "a\\\"b").as_str()),
        r#"create table "Mixed Case" ("a""b" int, "c\d" int)"#
    );
    for (rust, text) in [
        (r#"select public.@"User".@"Id""#, r#"select public."User"."Id""#),
        (r#"select x::@"My Type""#, r#"select x::"My Type""#),
        (r#"select a=@"B", a<>@"B", a||@"B""#, r#"select a="B", a<>"B", a||"B""#),
        (r#"select f(a=>@"B")"#, r#"select f(a=>"B")"#),
        (r#"select a <@ @"B""#, r#"select a <@ "B""#),
        (r#"select a <@ "{1}", a<@"{1}", a @@ "x", a^@"x""#, "select a <@ '{1}', a<@'{1}', a @@ 'x', a^@'x'"),
        (r"select @ x, @-5", "select @ x, @-5"),
        (r#"select * from @"T", @"U""#, r#"select * from "T", "U""#),
    ] {
        assert_eq!(one(rust), text);
        let guessed = one_without_positions(rust);
        assert_eq!(super::postgres::lexemes(&guessed), super::postgres::lexemes(text), "{guessed}");
    }
}

/// One mistake, the source under the carets, the message and the help.
fn mistake(source: &str, under: &str, message: &str, help: &str) {
    let (_, report) = statements(source);
    let found = seen(&report);
    assert_eq!(found.len(), 1, "{source}: {found:?}");
    assert_eq!((found[0].under.as_str(), found[0].message.as_str()), (under, message), "{source}");
    assert_eq!(found[0].help.as_deref().unwrap_or_default(), help, "{source}");
    let (_, report) = statements_of(without_positions(tokens(source)));
    let messages: Vec<String> = complaints(&report).into_iter().map(|(_, message)| message).collect();
    assert_eq!(messages, [message], "without positions: {source}");
}

#[test]
fn single_quotes_name_double_quotes() {
    let help = "write strings with double quotes: `\"a\"`";
    mistake("select 'a';", "'a'", "`'a'` is not a string in Rust tokens", help);
    mistake(
        "alter table t alter c set default 'pending; select 1;",
        "'pending",
        "`'pending` is not a string in Rust tokens",
        "write strings with double quotes: `\"pending\"`",
    );
    mistake(
        "select b'a';",
        "b'a'",
        "`b'a'` is a single byte, which SQL does not have",
        "write a byte string for `bytea`, such as `b\"\\x00\"`, or a number",
    );
}

#[test]
fn c_strings_suffixes_and_nul_have_no_meaning() {
    mistake("select c\"a\";", "c\"a\"", "a C string has no meaning in SQL", "write the string without the `c` in front");
    mistake("select 1i64;", "1i64", "`i64` after a literal has no meaning in SQL", "write `1`, or cast it: `1::bigint`");
    mistake("select 0x10u8;", "0x10u8", "`u8` after a literal has no meaning in SQL", "write `16`");
    mistake("select \"a\"x;", "\"a\"x", "`x` after a literal has no meaning in SQL", "write `\"a\"`");
    let nul = "PostgreSQL cannot store the character `\\0` in a text or a name";
    let help = "leave the character out, or write a byte string `b\"…\"` for `bytea`";
    mistake(r#"select "a\0b";"#, r#""a\0b""#, nul, help);
    mistake(r#"select @"a\0b";"#, r#"@"a\0b""#, nul, help);
    mistake(r#"select @"";"#, r#"@"""#, "a quoted name needs at least one character", "");
}

#[test]
fn escapes_of_sql_are_left_to_rust() {
    mistake(
        r#"select e "a\n";"#,
        r#"e "a\n""#,
        "`E` would apply escapes to a string that Rust has already unescaped",
        "leave `E` out: every string takes Rust's escapes, such as `\\n` and `\\u{e9}`",
    );
    let (_, report) = statements(r#"select U&"a";"#);
    assert_eq!(
        complaints(&report),
        [(r#"U&"a""#.to_owned(), "`U&` would apply escapes to a string that Rust has already unescaped".to_owned())]
    );
    assert_eq!(one(r#"select u & "1""#), "select u & '1'");
}

#[test]
fn sql_comments_name_rust_comments() {
    let (kept, report) = statements("select 1; -- isn t it; 'x 1i64\n select 2;");
    assert_eq!(
        complaints(&report),
        [("--".to_owned(), "`--` does not start a comment in Rust tokens".to_owned())],
        "only the two dashes are wrong"
    );
    assert_eq!(kept.len(), 2);
    mistake("select 1 --1;", "--", "`--` does not start a comment in Rust tokens", "write comments with `//`");
    assert_eq!(sql("select 1 - -1; select a - - - b;"), ["select 1 - -1", "select a - - - b"]);
}

#[test]
fn dollar_quotes_name_raw_strings_and_are_skipped_whole() {
    let help = "write the body as a raw string: `r#\"begin … end\"#`";
    mistake(
        "create function f() returns int as $$ begin; { return 'x; } end; $$ language plpgsql; select 1;",
        "$$",
        "`$$` does not start a string in Rust tokens",
        help,
    );
    mistake("do $body$ begin; end $body$;", "$body$", "`$body$` does not start a string in Rust tokens", help);
    mistake("do $$ begin;", "$$", "`$$` does not start a string in Rust tokens", help);
}

#[test]
fn attributes_and_braces_have_no_place_inside_a_statement() {
    mistake(
        "create table t (#[allow(x)] a int);",
        "#[allow(x)]",
        "an attribute cannot stand inside a statement",
        "write it before the first word of the statement",
    );
    mistake(
        "#![allow(x)] select 1;",
        "#![allow(x)]",
        "an inner attribute has no meaning among statements",
        "write `#[…]` before the statement it is for",
    );
    let help = "write `(…)` for a list and `r#\"…\"#` for the body of a function";
    mistake("create table t { a int };", "{ a int }", "SQL has no braces", help);
    mistake("{ select 1; } select 2;", "{ select 1; }", "SQL has no braces", help);
}

#[test]
fn all_problems_are_collected() {
    let (_, report) = statements("select 'a', 1i64; select $$x$$; select c\"x\", { };");
    let under: Vec<String> = complaints(&report).into_iter().map(|(under, _)| under).collect();
    assert_eq!(under, ["'a'", "1i64", "$$", "c\"x\"", "{ }"]);
}
