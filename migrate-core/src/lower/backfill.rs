//! `backfill update … in batches of 1000`: what is not SQL of it is blanked out, so that the grammar reads the rest where it
//! stands.

use super::{Suggestion, SyntaxProblem};
use crate::expression::{Expression, Spanned, Token, tokens};
use crate::name::{At, Name, QualifiedName};
use crate::ops::{Backfill, BatchSizeProblem, BatchWork, Opaque, batch_size};
use std::borrow::Cow;
use std::ops::Range;

/// A construct in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Construct {
    /// Where it stands, without the semicolon.
    pub(super) range: Range<usize>,
    /// How many rows its first batch has.
    pub(super) batch: u32,
}

/// Takes the words that aren't SQL out of a text, and says where they were. A text without any is given back as it is.
///
/// # Errors
/// Every construct that isn't whole.
pub(super) fn take_out(sql: &str) -> Result<(Cow<'_, str>, Vec<Construct>), Vec<SyntaxProblem>> {
    const WORD: &[u8] = b"backfill";
    if !sql.as_bytes().windows(WORD.len()).any(|window| window.eq_ignore_ascii_case(WORD)) {
        return Ok((Cow::Borrowed(sql), Vec::new()));
    }
    let tokens = tokens(sql);
    let mut text = sql.to_owned();
    let (mut constructs, mut problems) = (Vec::new(), Vec::new());
    let mut next = 0;
    while next < tokens.len() {
        let end = tokens[next..].iter().position(|(token, _)| token.is(";")).map_or(tokens.len(), |length| next + length);
        let statement = &tokens[next..end];
        if statement.first().is_some_and(|(token, _)| token.is_word("backfill")) {
            match read(statement, sql) {
                Ok((construct, blanks)) => {
                    for range in blanks {
                        text.replace_range(range.clone(), &" ".repeat(range.len()));
                    }
                    constructs.push(construct);
                }
                Err(problem) => problems.push(problem),
            }
        }
        next = end + 1;
    }
    if problems.is_empty() { Ok((Cow::Owned(text), constructs)) } else { Err(problems) }
}

/// What a construct says, and the parts of it that aren't SQL.
fn read(statement: &[Spanned], sql: &str) -> Result<(Construct, [Range<usize>; 2]), SyntaxProblem> {
    let (keyword, last) = (&statement[0].1, &statement[statement.len() - 1].1);
    let whole = keyword.start..last.end;
    match statement.get(1) {
        Some((Token::Word(verb), _)) if matches!(verb.as_str(), "update" | "delete") => {}
        Some((Token::Word(verb), at)) => {
            let (message, help) = match verb.as_str() {
                "insert" => (
                    "rows that aren't there yet have no key to walk along: `backfill` takes `update` or `delete`".to_owned(),
                    "write `run function in batches of 1000 over table;`, and insert in the function what each batch asks for",
                ),
                "with" => (
                    "`with` would be computed anew for every batch: `backfill` takes `update` or `delete`".to_owned(),
                    "write the query as a subquery in `from` or `where`",
                ),
                _ => (format!("`backfill` takes `update` or `delete`, and not `{}`", &sql[at.clone()]), UPDATE),
            };
            return Err(problem(at, message, help));
        }
        other => {
            let at = other.map_or(keyword, |(_, at)| at);
            return Err(problem(at, "`backfill` takes `update` or `delete`".to_owned(), UPDATE));
        }
    }
    // `in (…)` may stand before it, a column may be called `batches`
    let tail =
        statement.windows(3).rposition(|words| words[0].0.is_word("in") && words[1].0.is_word("batches") && words[2].0.is_word("of"));
    let Some(tail) = tail else {
        let message = "`backfill` needs the size of its batches at its end".to_owned();
        return Err(problem(keyword, message, "write `in batches of 1000` before the semicolon"));
    };
    let words = statement[tail].1.start..statement[tail + 2].1.end;
    let of_size = |at: &Range<usize>, wrong: BatchSizeProblem| {
        let (message, help) = wrong.text();
        problem(at, message, &help)
    };
    let batch = match &statement[tail + 3..] {
        [] => return Err(of_size(&words, BatchSizeProblem::NoNumber)),
        [(Token::Number(_), at)] => batch_size(&sql[at.clone()]).map_err(|wrong| of_size(at, wrong))?,
        [(sign, start), (Token::Number(_), end)] if sign.is("-") => return Err(of_size(&(start.start..end.end), BatchSizeProblem::Empty)),
        [(Token::Number(_), _), (_, extra), ..] => {
            let message = "nothing can stand behind the size of the batches".to_owned();
            return Err(problem(extra, message, "end the statement before it"));
        }
        [(_, at), ..] => return Err(of_size(at, BatchSizeProblem::NoNumber)),
    };
    let blanks = [keyword.clone(), words.start..last.end];
    Ok((Construct { range: whole, batch }, blanks))
}

/// A construct whose statement is in SQLite's own language: what stands where in it is told from its tokens.
///
/// # Errors
/// Where it isn't whole.
pub fn parse_sqlite(sql: &str) -> Result<Backfill, SyntaxProblem> {
    let (text, constructs) = take_out(sql).map_err(|problems| first(problems, sql))?;
    let [construct] = constructs.as_slice() else { return Err(first(Vec::new(), sql)) };
    let tokens = tokens(&text);
    let mut top = Vec::new();
    let mut depth = 0_u32;
    for (i, (token, _)) in tokens.iter().enumerate() {
        depth = depth.saturating_sub(u32::from(token.is(")")));
        if depth == 0 {
            top.push(i);
        }
        depth += u32::from(token.is("("));
    }
    let word = |i: usize, word: &str| tokens.get(i).is_some_and(|(token, _)| token.is_word(word));
    let clause =
        |words: &[&str]| top.iter().copied().find(|&i| i > 0 && words.iter().any(|name| word(i, name)) && !tokens[i - 1].0.is("."));
    if let Some(i) = clause(&["returning"]) {
        return Err(problem(&tokens[i].1, "nobody reads what a `backfill` returns".to_owned(), "leave `returning` out"));
    }
    let name = |i: usize| match tokens.get(i).map(|(token, at)| (token, At::new(at.clone()))) {
        Some((Token::Word(text) | Token::Quoted(text), at)) => Some(Name::written(text.clone(), at)),
        _ => None,
    };
    let is_update = word(0, "update");
    // `update or ignore t`, `delete from t`, `main.t`
    let mut at = if !is_update || word(1, "or") { 2 + usize::from(is_update) } else { 1 };
    if tokens.get(at + 1).is_some_and(|(token, _)| token.is(".")) {
        at += 2;
    }
    let table = name(at).ok_or_else(|| first(Vec::new(), sql))?;
    let called = if word(at + 1, "as") { name(at + 2) } else { None };
    let filter = clause(&["where"]);
    let end = text.trim_end_matches(|c: char| c == ';' || c.is_whitespace()).len();
    let start = tokens.first().map_or(0, |(_, at)| at.start);
    let behind = |i: usize| tokens[i].1.end;
    let head = text.get(start..filter.map_or(end, |i| tokens[i].1.start)).unwrap_or_default().trim_end();
    let condition = filter.map(|i| Expression::new(text.get(behind(i)..end).unwrap_or_default().trim()));
    let assigns = top.iter().copied().filter(|&i| is_update && filter.is_none_or(|filter| i < filter) && tokens[i].0.is("="));
    let sets = assigns.flat_map(|i| assigned(&tokens[..i])).collect();
    let statement = Opaque { relations: vec![QualifiedName::public(table.clone())], ..Opaque::sqlite(head.to_owned()) };
    Ok(Backfill {
        only: false,
        batch: construct.batch,
        work: BatchWork::Statement { called: called.unwrap_or_else(|| table.clone()), condition },
        table: QualifiedName::public(table),
        sets,
        statement,
        refusals: Vec::new(),
    })
}

/// The columns before a `=`: `a`, `(a, b)`.
fn assigned(before: &[Spanned]) -> Vec<Name> {
    let name = |token: &Token| match token {
        Token::Word(text) | Token::Quoted(text) => Some(Name::new(text.clone())),
        _ => None,
    };
    match before.last() {
        Some((token, _)) if token.is(")") => {
            before.iter().rev().skip(1).take_while(|(token, _)| !token.is("(")).filter_map(|(token, _)| name(token)).collect()
        }
        Some((token, _)) => name(token).into_iter().collect(),
        None => Vec::new(),
    }
}

fn first(problems: Vec<SyntaxProblem>, sql: &str) -> SyntaxProblem {
    let whole = || problem(&(0..sql.len()), "`backfill` takes `update` or `delete`".to_owned(), UPDATE);
    problems.into_iter().next().unwrap_or_else(whole)
}

const UPDATE: &str = "write `backfill update … in batches of 1000` or `backfill delete from … in batches of 1000`";

fn problem(at: &Range<usize>, message: String, help: &str) -> SyntaxProblem {
    SyntaxProblem { suggestion: Some(Suggestion::Sentence(help.to_owned())), ..SyntaxProblem::new(At::new(at.clone()), message) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(sql: &str) -> Vec<(String, String)> {
        let problems = take_out(sql).unwrap_err();
        problems.into_iter().map(|problem| (sql[problem.at.range()].to_owned(), problem.message)).collect()
    }

    #[test]
    fn what_is_no_sql_is_blanked_out() {
        let sql = "select 1; Backfill update t set backfill = 'backfill; x' where a in (1) in batches of 1_000; select 'backfill'";
        let (text, constructs) = take_out(sql).unwrap();
        assert_eq!(text, "select 1;          update t set backfill = 'backfill; x' where a in (1)                    ; select 'backfill'");
        assert_eq!(constructs, [Construct { range: 10..91, batch: 1000 }]);
        assert_eq!(take_out("select 1").unwrap(), (Cow::Borrowed("select 1"), Vec::new()));
    }

    #[test]
    fn what_is_wrong_is_said_where_it_stands() {
        let under = |sql: &str| told(sql).into_iter().map(|(under, _)| under).collect::<Vec<_>>().join(", ");
        for (sql, expected) in [
            ("backfill", "backfill"),
            ("backfill insert into t values (1) in batches of 10", "insert"),
            ("backfill with x as (select 1) update t set a = 1 in batches of 10", "with"),
            ("backfill t set a = 1 in batches of 10", "t"),
            ("backfill (update t set a = 1) in batches of 10", "("),
            ("backfill update t set a = 1", "backfill"),
            ("backfill update t set a = 1 in batches of", "in batches of"),
            ("backfill update t set a = 1 in batches of 0", "0"),
            ("backfill update t set a = 1 in batches of -5", "-5"),
            ("backfill update t set a = 1 in batches of 1.5", "1.5"),
            ("backfill update t set a = 1 in batches of many", "many"),
            ("backfill update t set a = 1 in batches of 1000000000", "1000000000"),
            ("backfill update t set a = 1 in batches of 10 where b = 2", "where"),
            ("backfill select 1; backfill delete from t", "select, backfill"),
        ] {
            assert_eq!(under(sql), expected, "{sql}");
        }
    }

    #[test]
    fn the_parts_of_a_statement_of_sqlite_are_told_from_its_tokens() {
        let read = |sql: &str| {
            let backfill = parse_sqlite(sql).unwrap();
            let BatchWork::Statement { called, condition } = backfill.work else { panic!("{sql}") };
            let sets: Vec<String> = backfill.sets.iter().map(ToString::to_string).collect();
            let condition = condition.map(|condition| condition.sql().to_owned()).unwrap_or_default();
            (backfill.table.to_string(), called.to_string(), backfill.statement.sql.sql().to_owned(), condition, sets.join(" "))
        };
        let parts = |parts: [&str; 5]| parts.map(str::to_owned).into();
        assert_eq!(
            read(
                "backfill update or ignore docs as d set (a, b) = (1, 2), c = (select x from y where z = 1) where d.t glob 'a*' in batches of 9"
            ),
            parts([
                "docs",
                "d",
                "update or ignore docs as d set (a, b) = (1, 2), c = (select x from y where z = 1)",
                "d.t glob 'a*'",
                "b a c"
            ])
        );
        assert_eq!(read("backfill delete from main.\"D\" in batches of 9;"), parts(["D", "D", "delete from main.\"D\"", "", ""]));
        assert_eq!(parse_sqlite("backfill delete from d where a returning b in batches of 9").unwrap_err().at.range(), 31..40);
        assert!(parse_sqlite("backfill delete from d").is_err());
    }
}
