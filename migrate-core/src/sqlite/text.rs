//! What SQLite keeps in nothing but the text of a statement: names of constraints, checks, collations, generated columns.

use super::translate::close;
use crate::expression::{Expression, Spanned, Token, tokens};
use crate::name::Name;
use crate::schema::{Deferral, Generated};
use std::ops::Range;

/// How an option is spelt that stands for something that the model can't hold, so that a rebuild would lose it.
pub const UNMODELLED: &str = "unmodelled: ";

/// What the text of a `create table` tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableText {
    /// The columns in their order.
    pub columns: Vec<ColumnText>,
    /// The constraints in their order, behind columns and behind all of them alike.
    pub constraints: Vec<ConstraintText>,
    /// Whether the primary key says `autoincrement`.
    pub autoincrement: bool,
    /// `strict` and `without rowid`, and what would be lost in a rebuild.
    pub options: Vec<String>,
}

/// What the text tells of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnText {
    /// Its name.
    pub name: Name,
    /// `collate`.
    pub collation: Option<String>,
    /// `generated always as`.
    pub generated: Option<Generated>,
}

/// What the text tells of a constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConstraintText {
    /// Its name, where it has one.
    pub name: Option<Name>,
    /// Which one it is.
    pub kind: ConstraintTextKind,
    /// Whether it is deferrable.
    pub deferral: Deferral,
}

/// Which constraint a name belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConstraintTextKind {
    /// The primary key.
    PrimaryKey,
    /// `unique` over these columns.
    Unique(Vec<Name>),
    /// A foreign key of these columns to that table.
    ForeignKey(Vec<Name>, Name),
    /// `check`, without the parentheses around it.
    Check(Expression),
}

/// Reads the text of a `create table`, as `sqlite_schema` keeps it.
#[must_use]
pub fn table(sql: &str) -> TableText {
    let tokens = sqlite_tokens(sql);
    let mut reader = Reader { sql, tokens: &tokens, table: TableText::default() };
    let Some(open) = reader.position(0..tokens.len(), |token| token.is("(")) else { return reader.table };
    let end = close(&tokens, open).unwrap_or(tokens.len());
    for item in reader.items(open + 1..end) {
        reader.item(item);
    }
    let rest: Vec<_> = (end + 1..tokens.len()).filter_map(|i| reader.word(i)).collect();
    let (strict, without_rowid) = (rest.contains(&"strict"), rest.contains(&"without"));
    let options = [(without_rowid, "without rowid"), (strict, "strict")];
    reader.table.options.splice(0..0, options.into_iter().filter(|(said, _)| *said).map(|(_, option)| option.to_owned()));
    reader.table
}

/// Reads the keys of a `create index` as they are written, without `asc`, `desc` and `collate`, and its `where`.
#[must_use]
pub fn index(sql: &str) -> (Vec<Expression>, Option<Expression>) {
    let tokens = sqlite_tokens(sql);
    let reader = Reader { sql, tokens: &tokens, table: TableText::default() };
    let Some(open) = reader.position(0..tokens.len(), |token| token.is("(")) else { return (Vec::new(), None) };
    let end = close(&tokens, open).unwrap_or(tokens.len());
    let keys = reader.items(open + 1..end).into_iter().map(|mut key| {
        if matches!(reader.word(key.end - 1), Some("asc" | "desc")) {
            key.end -= 1;
        }
        if key.len() > 2 && reader.word(key.end - 2) == Some("collate") {
            key.end -= 2;
        }
        Expression::new(reader.text(key))
    });
    let keys = keys.collect();
    let predicate = (reader.word(end + 1) == Some("where")).then(|| Expression::new(reader.text(end + 2..tokens.len())));
    (keys, predicate)
}

/// Reads the columns and the query of a `create view`.
#[must_use]
pub fn view(sql: &str) -> Option<(Vec<Name>, Expression)> {
    let tokens = sqlite_tokens(sql);
    let reader = Reader { sql, tokens: &tokens, table: TableText::default() };
    let word = reader.position(0..tokens.len(), |token| *token == Token::Word("as".to_owned()))?;
    let columns = match reader.position(0..word, |token| token.is("(")) {
        Some(open) => reader.items(open + 1..word - 1).into_iter().filter_map(|item| reader.name(item.start)).collect(),
        None => Vec::new(),
    };
    Some((columns, Expression::new(reader.text(word + 1..tokens.len()))))
}

/// The tokens of SQLite's SQL, which quotes identifiers as `[…]` and `` `…` `` too.
pub(super) fn sqlite_tokens(sql: &str) -> Vec<Spanned> {
    let mut out: Vec<Spanned> = Vec::new();
    let mut from = 0;
    while from < sql.len() {
        let mut quoted = None;
        for (token, range) in tokens(&sql[from..]) {
            let range = range.start + from..range.end + from;
            if let Token::Punctuation(mark) = &token
                && let Some(offset) = mark.find(['[', '`'])
            {
                if offset > 0 {
                    out.push((Token::Punctuation(mark[..offset].to_owned()), range.start..range.start + offset));
                }
                quoted = Some(range.start + offset);
                break;
            }
            out.push((token, range));
        }
        let Some(start) = quoted else { break };
        let end = if sql[start..].starts_with('[') { ']' } else { '`' };
        let length = sql[start + 1..].find(end).map_or(sql.len() - start, |length| length + 2);
        out.push((Token::Quoted(sql[start + 1..start + length].trim_end_matches(end).to_owned()), start..start + length));
        from = start + length;
    }
    out
}

struct Reader<'a> {
    sql: &'a str,
    tokens: &'a [Spanned],
    table: TableText,
}

impl<'a> Reader<'a> {
    /// A column, or constraints behind all columns.
    fn item(&mut self, range: Range<usize>) {
        let constraint = matches!(self.word(range.start), Some("constraint" | "primary" | "unique" | "check" | "foreign"));
        if constraint {
            return self.clauses(range, None);
        }
        let Some(name) = self.name(range.start) else { return };
        self.table.columns.push(ColumnText { name: name.clone(), collation: None, generated: None });
        self.clauses(range.start + 1..range.end, Some(&name));
    }

    /// Everything behind a column's name, or a constraint of the table. What it doesn't know it skips: the type.
    fn clauses(&mut self, range: Range<usize>, column: Option<&Name>) {
        let mut name = None;
        let mut i = range.start;
        while i < range.end {
            let group = self.group(i + 1);
            match (self.word(i), self.word(i + 1)) {
                (Some("constraint"), _) => {
                    name = self.name(i + 1);
                    i += 2;
                    continue;
                }
                (Some("primary"), Some("key")) => {
                    let columns = if column.is_some() { i + 2..i + 2 } else { self.group(i + 2).unwrap_or(i + 2..i + 2) };
                    self.note_order(&columns, "an order in the primary key");
                    let autoincrement = self.position(i..range.end, |token| *token == Token::Word("autoincrement".to_owned()));
                    if column.is_some() && self.word(i + 2) == Some("desc") {
                        self.note("an order in the primary key");
                    }
                    self.table.autoincrement |= autoincrement.is_some();
                    self.add(name.take(), ConstraintTextKind::PrimaryKey);
                    i = columns.end.max(i + 2);
                    continue;
                }
                (Some("unique"), _) => {
                    let columns = group.filter(|_| column.is_none());
                    let names = match (&columns, column) {
                        (Some(columns), _) => self.names(columns.clone()),
                        (None, column) => column.cloned().into_iter().collect(),
                    };
                    if let Some(columns) = &columns {
                        self.note_order(columns, "a collation in a unique constraint");
                    }
                    self.add(name.take(), ConstraintTextKind::Unique(names));
                    i = columns.map_or(i + 1, |columns| columns.end);
                    continue;
                }
                (Some("check"), _) if group.is_some() => {
                    let inner = group.unwrap_or_default();
                    self.add(name.take(), ConstraintTextKind::Check(Expression::new(self.text(inner.clone()))));
                    i = inner.end;
                    continue;
                }
                (Some("foreign"), Some("key")) => {
                    let columns = self.group(i + 2).unwrap_or_default();
                    let target = self.name(columns.end + 2).unwrap_or_else(|| Name::new(""));
                    self.add(name.take(), ConstraintTextKind::ForeignKey(self.names(columns.clone()), target));
                    i = (columns.end + 3).max(i + 2);
                    continue;
                }
                (Some("references"), _) => {
                    let target = self.name(i + 1).unwrap_or_else(|| Name::new(""));
                    self.add(name.take(), ConstraintTextKind::ForeignKey(column.cloned().into_iter().collect(), target));
                    i += 2;
                    continue;
                }
                (Some("deferrable"), _) if i == range.start || self.word(i - 1) != Some("not") => {
                    let deferred = self.word(i + 1) == Some("initially") && self.word(i + 2) == Some("deferred");
                    if let Some(constraint) = self.table.constraints.last_mut() {
                        constraint.deferral = if deferred { Deferral::Deferred } else { Deferral::Immediate };
                    }
                }
                (Some("collate"), _) => {
                    let collation = self.name(i + 1).map(|name| name.as_str().to_lowercase());
                    if let Some(column) = self.table.columns.last_mut().filter(|_| column.is_some()) {
                        column.collation = collation;
                    }
                    i += 2;
                    continue;
                }
                (Some("as"), _) if group.is_some() => {
                    let inner = group.unwrap_or_default();
                    let stored = self.word(inner.end + 1) == Some("stored");
                    let expression = Expression::new(self.text(inner.clone()));
                    if let Some(column) = self.table.columns.last_mut() {
                        column.generated = Some(Generated { expression, stored });
                    }
                    i = inner.end;
                }
                (Some("on"), Some("conflict")) => self.note("on conflict"),
                (Some("default"), _) => {
                    // a value may be a word that means something else here
                    i = group.map_or(i + 2, |inner| inner.end);
                    continue;
                }
                _ => {}
            }
            i += 1;
        }
    }

    fn add(&mut self, name: Option<Name>, kind: ConstraintTextKind) {
        self.table.constraints.push(ConstraintText { name, kind, deferral: Deferral::No });
    }

    fn note(&mut self, what: &str) {
        let option = format!("{UNMODELLED}{what}");
        if !self.table.options.contains(&option) {
            self.table.options.push(option);
        }
    }

    fn note_order(&mut self, columns: &Range<usize>, what: &str) {
        if columns.clone().any(|i| matches!(self.word(i), Some("desc" | "collate"))) {
            self.note(what);
        }
    }

    fn word(&self, i: usize) -> Option<&'a str> {
        match self.tokens.get(i) {
            Some((Token::Word(word), _)) => Some(word),
            _ => None,
        }
    }

    /// An identifier, quoted or not. The letters of an unquoted one are kept as they are written.
    fn name(&self, i: usize) -> Option<Name> {
        let (token, range) = self.tokens.get(i)?;
        match token {
            Token::Word(_) => Some(Name::new(&self.sql[range.clone()])),
            Token::Quoted(text) | Token::String(text) => Some(Name::new(text.as_str())),
            _ => None,
        }
    }

    /// What is between the parentheses that open at `i`.
    fn group(&self, i: usize) -> Option<Range<usize>> {
        self.tokens.get(i).filter(|(token, _)| token.is("("))?;
        close(self.tokens, i).map(|close| i + 1..close)
    }

    fn names(&self, range: Range<usize>) -> Vec<Name> {
        self.items(range).into_iter().filter_map(|item| self.name(item.start)).collect()
    }

    /// The pieces between the commas of a list.
    fn items(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let mut items = Vec::new();
        let mut start = range.start;
        let mut i = range.start;
        while i < range.end {
            if self.tokens[i].0.is("(") {
                i = close(self.tokens, i).unwrap_or(range.end);
            } else if self.tokens[i].0.is(",") {
                items.push(start..i);
                start = i + 1;
            }
            i += 1;
        }
        items.push(start..range.end.max(start));
        items.retain(|item| !item.is_empty());
        items
    }

    fn text(&self, range: Range<usize>) -> &'a str {
        match (self.tokens.get(range.start), range.end.checked_sub(1).and_then(|last| self.tokens.get(last))) {
            (Some((_, first)), Some((_, last))) if first.start <= last.end => &self.sql[first.start..last.end],
            _ => "",
        }
    }

    fn position(&self, range: Range<usize>, test: impl Fn(&Token) -> bool) -> Option<usize> {
        range.into_iter().find(|&i| self.tokens.get(i).is_some_and(|(token, _)| test(token)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constraints(sql: &str) -> Vec<String> {
        let one = |constraint: ConstraintText| {
            let name = constraint.name.map(|name| name.to_string()).unwrap_or_default();
            let names = |names: &[Name]| names.iter().map(Name::as_str).collect::<Vec<_>>().join(",");
            let kind = match constraint.kind {
                ConstraintTextKind::PrimaryKey => "primary key".to_owned(),
                ConstraintTextKind::Unique(columns) => format!("unique {}", names(&columns)),
                ConstraintTextKind::ForeignKey(columns, target) => format!("foreign key {} to {target}", names(&columns)),
                ConstraintTextKind::Check(expression) => format!("check {}", expression.sql()),
            };
            format!("{name}: {kind} {:?}", constraint.deferral)
        };
        table(sql).constraints.into_iter().map(one).collect()
    }

    #[test]
    fn names_of_constraints_behind_columns_and_behind_the_table() {
        let sql = "CREATE TABLE \"docs\" (id integer not null constraint docs_pkey primary key autoincrement, \
                   org integer constraint org_fkey references \"orgs\" (id) on delete cascade deferrable initially deferred, \
                   status text default 'a) check (' constraint status_enum check (status in ('a', 'b')), \
                   constraint u unique (org, status) constraint c check (length(status) > (1)), \
                   foreign key (org, status) references other (a, b) not deferrable)";
        let expected = [
            "docs_pkey: primary key No",
            "org_fkey: foreign key org to orgs Deferred",
            "status_enum: check status in ('a', 'b') No",
            "u: unique org,status No",
            "c: check length(status) > (1) No",
            ": foreign key org,status to other No",
        ];
        assert_eq!(constraints(sql), expected);
        assert!(table(sql).autoincrement);
        assert_eq!(table(sql).options, Vec::<String>::new());
    }

    #[test]
    fn quotes_of_all_kinds_and_comments() {
        let sql = "CREATE TABLE [my table] (`a b` text -- a, comment (\n, [c d] long type(1,2) unique, 'e' default check, Upper /* x */)";
        let names: Vec<_> = table(sql).columns.into_iter().map(|column| column.name.to_string()).collect();
        assert_eq!(names, ["a b", "c d", "e", "Upper"]);
        assert_eq!(
            constraints("create table t ([c d] text unique, \"x y\" check (\"x y\" > 0))"),
            [": unique c d No", ": check \"x y\" > 0 No"]
        );
    }

    #[test]
    fn generated_columns_and_collations() {
        let sql = "create table t (a text collate NOCASE, b text generated always as (lower(a)) stored, c as (a || b) virtual) strict";
        let table = table(sql);
        assert_eq!(table.columns[0].collation.as_deref(), Some("nocase"));
        assert_eq!(table.columns[1].generated, Some(Generated { expression: Expression::new("lower(a)"), stored: true }));
        assert_eq!(table.columns[2].generated, Some(Generated { expression: Expression::new("a || b"), stored: false }));
        assert_eq!(table.options, ["strict"]);
    }

    #[test]
    fn what_a_rebuild_would_lose_is_noted() {
        let options = |sql| table(sql).options;
        assert_eq!(options("create table t (a integer primary key on conflict replace)"), ["unmodelled: on conflict"]);
        assert_eq!(options("create table t (a, unique (a collate nocase))"), ["unmodelled: a collation in a unique constraint"]);
        assert_eq!(options("create table t (a, primary key (a desc)) without rowid")[0], "without rowid");
        assert_eq!(options("create table t (a text primary key) without rowid, strict"), ["without rowid", "strict"]);
    }

    #[test]
    fn keys_and_predicate_of_an_index() {
        let (keys, predicate) = index("CREATE INDEX i on \"t\" (lower(a) collate nocase desc, \"b\" asc, a || b) where c > 0 and d");
        assert_eq!(keys.iter().map(Expression::sql).collect::<Vec<_>>(), ["lower(a)", "\"b\"", "a || b"]);
        assert_eq!(predicate.as_ref().map(Expression::sql), Some("c > 0 and d"));
    }

    #[test]
    fn columns_and_query_of_a_view() {
        let (columns, query) = view("CREATE VIEW v (a, \"B\") as select x, y from t").unwrap();
        assert_eq!(columns.iter().map(Name::as_str).collect::<Vec<_>>(), ["a", "B"]);
        assert_eq!(query.sql(), "select x, y from t");
    }

    #[test]
    fn never_panics_on_odd_text() {
        for text in [
            "",
            "create table",
            "create table t (",
            "create table t ()",
            "[",
            "`",
            "create table t (a check (",
            "foreign key",
            "create view",
            "create view v (as",
        ] {
            let _ = (table(text), index(text), view(text));
            let _ = table(&format!("create table t ({text}"));
        }
    }
}
