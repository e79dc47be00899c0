//! Objects of a projected schema → SQLite's SQL.
//!
//! A table is one line, and its constraints stand where `alter table … add column` would leave them: behind their column
//! where they mention no other. Table names are always quoted, since SQLite quotes them when it renames. So the text that
//! SQLite keeps of a table doesn't depend on the way that led there.

use crate::expression::{Expression, Token, tokens};
use crate::name::{Name, quoted_list};
use crate::schema::{Column, Constraint, ConstraintKind, Deferral, ForeignKey, Index, IndexKeyKind, ReferentialAction, Table, View};
use std::fmt::Write as _;

/// A table's name, quoted always.
pub(super) fn quoted(name: &Name) -> String {
    format!("\"{}\"", name.as_str().replace('"', "\"\""))
}

/// `create table`, under a name that may be another one than the table's own.
pub(super) fn create_table(table: &Table, name: &Name) -> String {
    let columns = table.columns.iter().map(|column| self::column(column, table));
    let others = table.constraints.values().filter(|constraint| home(constraint, table).is_none()).map(self::constraint);
    let parts: Vec<_> = columns.chain(others).collect();
    let options: Vec<_> = table.options.split(", ").filter(|option| matches!(*option, "strict" | "without rowid")).collect();
    let options = if options.is_empty() { String::new() } else { format!(" {}", options.join(", ")) };
    format!("create table {} ({}){options}", quoted(name), parts.join(", "))
}

/// A column with the constraints that stand behind it.
pub(super) fn column(column: &Column, table: &Table) -> String {
    let mut sql = column.name.quoted();
    let data_type = column.data_type.sql();
    if !data_type.is_empty() {
        let _ = write!(sql, " {data_type}");
    }
    if let Some(default) = &column.default {
        let _ = write!(sql, " default {}", self::default(default));
    }
    if let Some(generated) = &column.generated {
        let kind = if generated.stored { "stored" } else { "virtual" };
        let _ = write!(sql, " generated always as ({}) {kind}", generated.expression.sql());
    }
    if column.not_null {
        sql.push_str(" not null");
    }
    if let Some(collation) = &column.collation {
        let _ = write!(sql, " collate {}", Name::new(collation.as_str()).quoted());
    }
    for constraint in table.constraints.values().filter(|constraint| home(constraint, table) == Some(&column.name)) {
        let name = constraint.name.quoted();
        match &constraint.kind {
            ConstraintKind::PrimaryKey(_) => {
                let _ = write!(sql, " constraint {name} primary key autoincrement");
            }
            ConstraintKind::ForeignKey(key) => {
                let _ = write!(sql, " constraint {name} {}{}", references(key), deferral(constraint.deferral));
            }
            _ => {
                let _ = write!(sql, " {}", self::constraint(constraint));
            }
        }
    }
    sql
}

/// The column behind which a constraint stands; `None`: it stands behind all columns.
pub(super) fn home<'a>(constraint: &Constraint, table: &'a Table) -> Option<&'a Name> {
    let only = |name: &Name| table.column(name.as_str()).map(|column| &column.name);
    match &constraint.kind {
        ConstraintKind::PrimaryKey(key) => only(key.columns.first()?)
            .filter(|name| key.columns.len() == 1 && table.column(name.as_str()).is_some_and(|column| column.identity.is_some())),
        ConstraintKind::ForeignKey(key) if key.columns.len() == 1 => only(&key.columns[0]),
        ConstraintKind::Check { expression, .. } => {
            let mut mentioned = table.columns.iter().filter(|column| expression.mentions(column.name.as_str()));
            let first = mentioned.next()?;
            mentioned.next().is_none().then_some(&first.name)
        }
        _ => None,
    }
}

/// A default as it stands behind the word: plain where SQLite takes it so, otherwise in parentheses.
pub(super) fn default(default: &Expression) -> String {
    if is_plain(default) { default.sql().to_owned() } else { format!("({})", default.sql()) }
}

/// A literal, a number with its sign, or one of the three words for the current time.
fn is_plain(default: &Expression) -> bool {
    is_constant(default)
        || matches!(tokens(default.sql()).as_slice(),
            [(Token::Word(word), _)] if matches!(word.as_str(), "current_timestamp" | "current_date" | "current_time"))
}

/// A value that is the same for all rows, as `alter table … add column` demands.
pub(super) fn is_constant(default: &Expression) -> bool {
    match tokens(default.sql()).as_slice() {
        [(Token::String(_) | Token::Number(_), _)] => true,
        [(Token::Word(word), _)] => matches!(word.as_str(), "true" | "false" | "null"),
        [(sign, _), (Token::Number(_), _)] => sign.is("-") || sign.is("+"),
        [(Token::Word(word), _), (Token::String(_), _)] => word == "x",
        _ => false,
    }
}

fn constraint(constraint: &Constraint) -> String {
    let kind = match &constraint.kind {
        ConstraintKind::PrimaryKey(key) => format!("primary key ({})", quoted_list(&key.columns)),
        ConstraintKind::Unique(key) => format!("unique ({})", quoted_list(&key.columns)),
        ConstraintKind::ForeignKey(key) => format!("foreign key ({}) {}", quoted_list(&key.columns), references(key)),
        ConstraintKind::Check { expression, .. } => format!("check ({})", expression.sql()),
        ConstraintKind::Exclude { definition } => format!("exclude {}", definition.sql()),
    };
    format!("constraint {} {kind}{}", constraint.name.quoted(), deferral(constraint.deferral))
}

fn references(key: &ForeignKey) -> String {
    let mut sql = format!("references {}", quoted(&key.references.name));
    if !key.referenced_columns.is_empty() {
        let _ = write!(sql, " ({})", quoted_list(&key.referenced_columns));
    }
    if key.on_update != ReferentialAction::NoAction {
        let _ = write!(sql, " on update {}", key.on_update.sql());
    }
    if key.on_delete != ReferentialAction::NoAction {
        let _ = write!(sql, " on delete {}", key.on_delete.sql());
    }
    sql
}

fn deferral(deferral: Deferral) -> &'static str {
    match deferral {
        Deferral::No => "",
        Deferral::Immediate => " deferrable",
        Deferral::Deferred => " deferrable initially deferred",
    }
}

/// `create index`.
pub(super) fn create_index(table: &Name, index: &Index) -> String {
    let unique = if index.unique { "unique " } else { "" };
    let keys = index.keys.iter().map(|key| {
        let mut sql = match &key.kind {
            IndexKeyKind::Column(name) => name.quoted(),
            IndexKeyKind::Expression(expression) => expression.sql().to_owned(),
        };
        if let Some(collation) = &key.collation {
            let _ = write!(sql, " collate {}", Name::new(collation.as_str()).quoted());
        }
        if key.descending {
            sql.push_str(" desc");
        }
        sql
    });
    let keys = keys.collect::<Vec<_>>().join(", ");
    let mut sql = format!("create {unique}index {} on {} ({keys})", index.name.quoted(), quoted(table));
    if let Some(predicate) = &index.predicate {
        let _ = write!(sql, " where {}", predicate.sql());
    }
    sql
}

/// `create view`.
pub(super) fn create_view(name: &Name, view: &View) -> String {
    let columns = if view.columns.is_empty() { String::new() } else { format!(" ({})", quoted_list(&view.columns)) };
    format!("create view {}{columns} as {}", quoted(name), view.query.sql())
}
