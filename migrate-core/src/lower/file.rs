//! A file of plain SQL, as people and `pg_dump` write it. What it says to `psql` and to its own session is no part of a
//! migration; the data of `copy` can't be.

use super::{Statement, SyntaxProblem, lower, syntax, syntax_problem};
use crate::name::{At, DEFAULT_SCHEMA};
use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{SourceFile, SyntaxKind};

/// Parses a file of plain SQL: what `pg_dump --schema-only` of PostgreSQL 13 to 18 writes, or anything like it.
///
/// Commands to `psql` and settings of the session are left out, and so is what every database has: the schema `public`.
/// So are pairs of `begin` and `commit`: the engine's transaction is around the whole.
/// Positions are those in the file.
///
/// # Errors
/// The places at which the grammar doesn't accept the text, one a statement, at which data begins, or at which `psql` would do more than
/// send a statement.
pub fn parse_file(sql: &str) -> Result<Vec<Statement>, Vec<SyntaxProblem>> {
    let mut file = Cleaner::new(sql);
    file.clean();
    let parsed = SourceFile::parse(&file.text);
    let mut problems = std::mem::take(&mut file.problems);
    problems.extend(syntax_problem::problems(&parsed));
    if !problems.is_empty() {
        problems.sort_by_key(|problem| problem.at.start);
        return Err(problems);
    }
    let statements = super::statements(&parsed.tree());
    let needs_bodies_unchecked = statements.iter().any(has_unchecked_body);
    let has_own_transactions = are_paired(&statements);
    let kept = statements.iter().filter(|statement| {
        if has_own_transactions && controls_transaction(statement) {
            return false;
        }
        let unchecked_bodies = is_setting(statement, "check_function_bodies") && needs_bodies_unchecked;
        unchecked_bodies || !(is_session_setting(statement) || every_database_has(statement))
    });
    Ok(kept.map(|statement| local_setting(lower(statement))).collect())
}

fn controls_transaction(statement: &ast::Stmt) -> bool {
    use ast::Stmt;
    matches!(
        statement,
        Stmt::Begin(_)
            | Stmt::Commit(_)
            | Stmt::Rollback(_)
            | Stmt::SavepointCreate(_)
            | Stmt::ReleaseSavepoint(_)
            | Stmt::PrepareTransaction(_)
    )
}

/// Whether the file's transactions are plain ones, each with its end: then it means the same in a single one.
fn are_paired(statements: &[ast::Stmt]) -> bool {
    let mut open = false;
    for statement in statements.iter().filter(|statement| controls_transaction(statement)) {
        let begins = match statement {
            ast::Stmt::Begin(begin) => begin.transaction_mode_list().is_none(),
            _ => false,
        };
        let commits = match statement {
            ast::Stmt::Commit(ast::Commit::CommitTransaction(commit)) => commit.chain_clause().is_none(),
            _ => false,
        };
        if if open { !commits } else { !begins } {
            return false;
        }
        open = begins;
    }
    !open
}

/// The names of the settings that `psql` scripts begin with end with the session; in a migration, with its transaction.
fn local_setting(mut statement: Statement) -> Statement {
    if let [crate::operation::Operation::Opaque(opaque)] = statement.operations.as_mut_slice()
        && opaque.kind == "set"
        && let Some(rest) = opaque.sql.sql().get(3..)
        && !rest.trim_start().to_lowercase().starts_with("local")
    {
        opaque.sql = crate::expression::Expression::written(format!("set local{rest}"), opaque.sql.at);
    }
    statement
}

/// A function in SQL whose body is a string: PostgreSQL looks for its tables when it is created, and `pg_dump` writes
/// functions before tables.
fn has_unchecked_body(statement: &ast::Stmt) -> bool {
    let (options, body) = match statement {
        ast::Stmt::CreateFunction(it) => (it.option_list(), it.body()),
        ast::Stmt::CreateProcedure(it) => (it.option_list(), it.body()),
        _ => return false,
    };
    let language = |option: ast::FuncOption| match option {
        ast::FuncOption::LanguageFuncOption(it) => Some(syntax::text(it.syntax()).to_lowercase()),
        _ => None,
    };
    let language = options.iter().flat_map(ast::FuncOptionList::options).find_map(language);
    body.is_none()
        && language.is_some_and(|language| language.split_whitespace().last().is_some_and(|name| name.trim_matches('\'') == "sql"))
}

fn is_setting(statement: &ast::Stmt, name: &str) -> bool {
    matches!(statement, ast::Stmt::Set(_))
        && syntax::significant_tokens(statement.syntax()).any(|token| token.text().eq_ignore_ascii_case(name))
}

/// `set …`, `reset …` and `select set_config(…)`: the engine has a session of its own. A search path that would give names
/// another meaning is kept, to be refused.
fn is_session_setting(statement: &ast::Stmt) -> bool {
    match statement {
        ast::Stmt::Set(_) | ast::Stmt::Reset(_) => !moves_search_path(statement),
        ast::Stmt::Select(it) => {
            let targets = it.select_clause().and_then(|clause| clause.target_list());
            let mut targets = targets.iter().flat_map(ast::TargetList::targets);
            let called = match (targets.next().and_then(|target| target.expr()), targets.next()) {
                (Some(ast::Expr::CallExpr(call)), None) => call.expr().map(|function| syntax::text(function.syntax()).to_lowercase()),
                _ => None,
            };
            let sets = called.is_some_and(|name| matches!(name.as_str(), "set_config" | "pg_catalog.set_config"));
            sets && it.from_clause().is_none() && !moves_search_path(statement)
        }
        _ => false,
    }
}

/// Whether names without a schema mean something else behind it than in the model.
pub(crate) fn moves_search_path(statement: &ast::Stmt) -> bool {
    let tokens: Vec<_> = syntax::significant_tokens(statement.syntax()).collect();
    let word = |text: &str| text.trim_matches(['\'', '"']).to_lowercase();
    let Some(name) = tokens.iter().position(|token| word(token.text()) == "search_path") else { return false };
    let sets = match statement {
        ast::Stmt::Set(_) => true,
        ast::Stmt::Select(_) => tokens[..name].iter().any(|token| word(token.text()) == "set_config"),
        _ => false,
    };
    if !sets {
        return false;
    }
    let values = tokens[name + 1..].iter().filter(|token| {
        let boolean = matches!(token.kind(), SyntaxKind::TRUE_KW | SyntaxKind::FALSE_KW);
        !boolean && !matches!(token.text().to_lowercase().as_str(), "=" | "to" | "," | "(" | ")" | ";")
    });
    let schemas: Vec<String> =
        values.flat_map(|value| value.text().trim_matches('\'').split(',').map(|part| word(part.trim())).collect::<Vec<_>>()).collect();
    !schemas.iter().all(|schema| matches!(schema.as_str(), "" | DEFAULT_SCHEMA | "pg_catalog" | "$user" | "default"))
}

/// What `pg_dump` writes about the schema `public`, and comments on extensions, which are the extensions' own: only their
/// owners may write them.
fn every_database_has(statement: &ast::Stmt) -> bool {
    match statement {
        ast::Stmt::CreateSchema(it) => match it.create_schema_target() {
            Some(ast::CreateSchemaTarget::NamedSchema(named)) => {
                named.schema().is_some_and(|name| syntax::name(&name).as_str() == DEFAULT_SCHEMA) && it.schema_elements().next().is_none()
            }
            _ => false,
        },
        ast::Stmt::CommentOn(it) => match it.comment_object() {
            Some(ast::CommentObject::ObjectExtension(_)) => true,
            Some(ast::CommentObject::ObjectSchema(schema)) => {
                let public = schema.schema_ref().is_some_and(|name| syntax::name(&name).as_str() == DEFAULT_SCHEMA);
                let text = it.literal().and_then(|literal| literal.string_value()).unwrap_or_default();
                public && (text.is_empty() || text == "standard public schema")
            }
            _ => false,
        },
        _ => false,
    }
}

/// Overwrites with blanks what isn't SQL, so that every position stays.
struct Cleaner<'a> {
    sql: &'a str,
    text: String,
    problems: Vec<SyntaxProblem>,
    /// The first byte that is not decided yet.
    at: usize,
    /// Where the current statement begins.
    statement: Option<usize>,
}

/// Commands of `psql` that change nothing but what it prints, or whom it talks to.
const HARMLESS: &[&str] =
    &["c", "connect", "echo", "encoding", "errverbose", "pset", "qecho", "restrict", "set", "timing", "unrestrict", "unset", "warn", "x"];

impl<'a> Cleaner<'a> {
    fn new(sql: &'a str) -> Self {
        Self { sql, text: sql.to_owned(), problems: Vec::new(), at: 0, statement: None }
    }

    fn rest(&self) -> &'a str {
        self.sql.get(self.at..).unwrap_or_default()
    }

    fn blank(&mut self, range: std::ops::Range<usize>) {
        let blank: String =
            self.sql[range.clone()].bytes().map(|byte| if byte == b'\n' || byte == b'\r' { char::from(byte) } else { ' ' }).collect();
        self.text.replace_range(range, &blank);
    }

    fn clean(&mut self) {
        if self.rest().starts_with('\u{feff}') {
            self.blank(0..3);
            self.at = 3;
        }
        while let Some(first) = self.rest().chars().next() {
            let rest = self.rest();
            let length = blank_length(rest);
            if length > 0 {
                self.at += length;
                continue;
            }
            if first == '\\' {
                self.command();
                continue;
            }
            self.statement.get_or_insert(self.at);
            self.at += literal_length(rest, &self.sql[..self.at]).unwrap_or(first.len_utf8());
            if first == ';' {
                self.end_statement();
            }
        }
    }

    /// A command to `psql`: everything up to the end of the line.
    fn command(&mut self) {
        let line = self.rest().lines().next().unwrap_or_default();
        let range = self.at..self.at + line.len();
        let name: String = line[1..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if !HARMLESS.contains(&name.as_str()) {
            let message = format!("`\\{name}` is a command of `psql`, which an included file can't give");
            self.problems.push(SyntaxProblem::new(At::new(self.at..self.at + 1 + name.len()), message));
        }
        self.blank(range.clone());
        self.at = range.end;
    }

    fn end_statement(&mut self) {
        let Some(start) = self.statement.take() else { return };
        let statement = &self.sql[start..self.at];
        let words: Vec<String> = statement.split(|c: char| c.is_whitespace() || ";()".contains(c)).map(str::to_lowercase).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| !word.is_empty()).collect();
        if words.first() != Some(&"copy") || !words.windows(2).any(|pair| pair == ["from", "stdin"]) {
            return;
        }
        let table = words.get(1).copied().unwrap_or_default();
        let message =
            format!("`copy {table} … from stdin` brings data, which an included file can't: dump it with `pg_dump --schema-only`");
        self.problems.push(SyntaxProblem::new(At::new(start..self.at), message));
        let data = self.rest();
        let mut length = 0;
        for line in data.split_inclusive('\n') {
            length += line.len();
            if line.trim_end() == "\\." {
                break;
            }
        }
        self.blank(start..self.at + length);
        self.at += length;
    }
}

/// The length of the white space or the comment at the start of `sql`.
fn blank_length(sql: &str) -> usize {
    if sql.starts_with("--") {
        return sql.find('\n').unwrap_or(sql.len());
    }
    if sql.starts_with("/*") {
        let (mut depth, mut at) = (0_u32, 0);
        while let Some(rest) = sql.get(at..).filter(|rest| !rest.is_empty()) {
            if rest.starts_with("/*") {
                (depth, at) = (depth + 1, at + 2);
            } else if rest.starts_with("*/") {
                (depth, at) = (depth.saturating_sub(1), at + 2);
                if depth == 0 {
                    break;
                }
            } else {
                at += rest.chars().next().map_or(1, char::len_utf8);
            }
        }
        return at;
    }
    sql.len() - sql.trim_start().len()
}

/// The length of the string or the quoted identifier at the start of `sql`, if there is one.
fn literal_length(sql: &str, before: &str) -> Option<usize> {
    let first = sql.chars().next()?;
    let in_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    match first {
        '\'' | '"' => {
            let escapes = first == '\'' && before.strip_suffix(['e', 'E']).is_some_and(|before| !before.ends_with(in_word));
            let mut skip = false;
            for (at, c) in sql.char_indices().skip(1) {
                if skip {
                    skip = false;
                } else if escapes && c == '\\' {
                    skip = true;
                } else if c == first {
                    // a doubled quote ends one literal and begins the next
                    return Some(at + 1);
                }
            }
            Some(sql.len())
        }
        '$' if !before.ends_with(in_word) => {
            let tag_length = sql[1..].find('$')? + 2;
            let tag = &sql[..tag_length];
            let is_tag = tag[1..tag_length - 1].chars().all(|c| c.is_alphanumeric() || c == '_')
                && !tag[1..].starts_with(|c: char| c.is_ascii_digit());
            let body = is_tag.then(|| &sql[tag_length..])?;
            Some(body.find(tag).map_or(sql.len(), |end| tag_length + end + tag_length))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(sql: &str) -> Vec<String> {
        use crate::operation::Operate;
        parse_file(sql).unwrap().iter().flat_map(|statement| &statement.operations).map(Operate::describe).collect()
    }

    fn problems(sql: &str) -> Vec<(usize, String)> {
        let line = |at: At| sql[..at.range().start].matches('\n').count() + 1;
        parse_file(sql).unwrap_err().into_iter().map(|problem| (line(problem.at), problem.message)).collect()
    }

    #[test]
    fn commands_to_psql_and_settings_are_left_out() {
        let sql = "\u{feff}\\restrict x\r\n\\connect app\nSET client_encoding = 'UTF8';\nSELECT pg_catalog.set_config('search_path', '', false);\n\
                   set search_path = public, pg_catalog;\nreset all;\ncreate table a (id int);\n\\unrestrict x\n";
        assert_eq!(kinds(sql), ["create table `a`"]);
        assert_eq!(parse_file(sql).unwrap()[0].at.range().start, sql.find("create").unwrap());
    }

    #[test]
    fn a_backslash_inside_a_literal_is_no_command() {
        let sql = "create function f() returns text language plpgsql as $body$\n\\i x\nbegin return '$$'; end $body$;\n\
                   comment on table a is 'it''s\n\\q';\ncomment on table a is E'\\'\n\\q';\n/* /* \n\\q */\n\\q */ create table a (id int);";
        assert_eq!(kinds(sql).len(), 4);
    }

    #[test]
    fn data_and_other_commands_are_errors_at_their_line() {
        let sql =
            "create table a (id int);\n\nCOPY public.a (id, b) FROM stdin;\n1\t';\n\\N\t$$\n\\.\n\n\\i other.sql\ncreat table b ();\n";
        let problems = problems(sql);
        assert_eq!(problems.iter().map(|(line, _)| *line).collect::<Vec<_>>()[..2], [3, 8]);
        assert!(problems[0].1.starts_with("`copy public.a … from stdin` brings data"), "{problems:?}");
        assert!(problems[1].1.starts_with("`\\i` is a command of `psql`"), "{problems:?}");
        assert!(problems[2..].iter().all(|(line, _)| *line == 9), "{problems:?}");
    }

    #[test]
    fn what_every_database_has_is_left_out() {
        let sql = "create schema public; comment on schema public is 'standard public schema'; comment on schema public is ''; \
                   comment on extension pgcrypto is 'cryptographic functions'; comment on schema public is 'ours';";
        assert_eq!(kinds(sql), ["comment on schema `public`"]);
    }

    #[test]
    fn a_search_path_that_gives_names_another_meaning_is_kept_to_be_refused() {
        for (sql, kept) in [
            ("set search_path = app", 1),
            ("set search_path to public, app", 1),
            ("select set_config('search_path', 'app', true)", 1),
            ("set search_path = \"$user\", public", 0),
            ("set search_path to default", 0),
            ("select set_config('search_path', 'public, pg_catalog', false)", 0),
        ] {
            assert_eq!(kinds(sql).len(), kept, "{sql}");
        }
    }

    #[test]
    fn transactions_of_a_file_are_the_engines() {
        let create = "create table `a`";
        for sql in ["begin; create table a (); commit;", "start transaction; create table a (); end work; begin; commit"] {
            assert_eq!(kinds(sql), [create], "{sql}");
        }
        for (sql, kept) in [
            ("begin; create table a (); rollback;", 3),
            ("begin; create table a ();", 2),
            ("create table a (); commit;", 2),
            ("begin; begin; create table a (); commit; commit", 5),
            ("begin isolation level serializable; create table a (); commit;", 3),
            ("begin; savepoint s; create table a (); commit;", 4),
            ("begin; create table a (); commit and chain; commit", 4),
        ] {
            assert_eq!(kinds(sql).len(), kept, "{sql}");
        }
    }

    #[test]
    fn bodies_stay_unchecked_where_they_come_before_their_tables() {
        let setting = "SET check_function_bodies = false;\n";
        let body = "create function f() returns bigint language sql as $$ select count(*) from a $$;\n";
        let atomic = "create function f() returns bigint language sql begin atomic select 1; select 2; end;\n";
        assert_eq!(kinds(&format!("{setting}{body}"))[0], "run `set local check_function_bodies = false`");
        assert_eq!(kinds(&format!("{setting}{atomic}")).len(), 1);
    }
}
