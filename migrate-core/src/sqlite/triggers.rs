//! Triggers, of which SQLite keeps the text and nothing else.

use super::Unsupported;
use super::text::sqlite_tokens;
use crate::expression::Token;
use crate::name::Name;
use crate::schema::{Schema, SqliteTrigger};

/// What makes a trigger fire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TriggerEvent {
    /// `delete`.
    Delete,
    /// `insert`.
    Insert,
    /// `update`, with the first of the columns that stand behind `of`.
    Update(Option<Name>),
}

/// Reads what makes a trigger fire from its text, as `sqlite_schema` keeps it.
#[must_use]
pub fn trigger_event(sql: &str) -> Option<TriggerEvent> {
    let tokens = sqlite_tokens(sql);
    let word = |i: usize| match tokens.get(i) {
        Some((Token::Word(word), _)) => Some(word.as_str()),
        _ => None,
    };
    let mut i = (0..tokens.len()).find(|&i| word(i) == Some("trigger"))? + 1;
    if word(i) == Some("if") {
        i += 3;
    }
    // its name, and perhaps a schema before it
    i += if tokens.get(i + 1).is_some_and(|(token, _)| token.is(".")) { 3 } else { 1 };
    i += match word(i) {
        Some("before" | "after") => 1,
        Some("instead") => 2,
        _ => 0,
    };
    match word(i)? {
        "delete" => Some(TriggerEvent::Delete),
        "insert" => Some(TriggerEvent::Insert),
        "update" => {
            let column = tokens.get(i + 2).filter(|_| word(i + 1) == Some("of")).and_then(|(token, range)| match token {
                Token::Word(_) => Some(Name::new(&sql[range.clone()])),
                Token::Quoted(name) | Token::String(name) => Some(Name::new(name.as_str())),
                _ => None,
            });
            Some(TriggerEvent::Update(column))
        }
        _ => None,
    }
}

/// The triggers on a table or view, with their names.
pub(super) fn on<'a>(schema: &'a Schema, table: &'a Name) -> impl Iterator<Item = (&'a Name, &'a SqliteTrigger)> {
    schema.sqlite_triggers.iter().filter(move |(_, trigger)| trigger.on == *table)
}

/// Refuses what drops a view and makes it again, where the triggers on it name what has another name by then: SQLite follows a
/// rename in triggers that are there, and these aren't at that moment.
pub(super) fn can_follow(schema: &Schema, view: &Name, renamed: &Name) -> Result<(), Unsupported> {
    match on(schema, view).find(|(_, trigger)| mentions(&trigger.sql, renamed)) {
        Some((name, _)) => Err(Unsupported::with_help(
            format!("view `{view}` has to be made anew, and its trigger `{name}` mentions `{renamed}`, which has another name then"),
            format!("drop `{name}` before it in a `sqlite {{ … }}` block, and create it as it should be after it"),
        )),
        None => Ok(()),
    }
}

/// Refuses to rename a view that has triggers.
pub(super) fn can_rename_view(schema: &Schema, view: &Name) -> Result<(), Unsupported> {
    match on(schema, view).next() {
        Some((name, _)) => Err(Unsupported::with_help(
            format!("SQLite can't rename view `{view}`, and making it anew would lose its trigger `{name}`"),
            format!("drop `{name}` before it in a `sqlite {{ … }}` block, and create it on the new name after it"),
        )),
        None => Ok(()),
    }
}

fn mentions(sql: &str, name: &Name) -> bool {
    sqlite_tokens(sql).iter().any(|(token, _)| match token {
        Token::Word(text) | Token::Quoted(text) => text.eq_ignore_ascii_case(name.as_str()),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read() {
        for (sql, event) in [
            ("CREATE TRIGGER r after insert on t begin select 1; end", TriggerEvent::Insert),
            ("create temp trigger if not exists main.\"delete\" delete on t begin select 1; end", TriggerEvent::Delete),
            ("create trigger [a b] instead of update on v begin delete from t; end", TriggerEvent::Update(None)),
            ("create trigger update_it before update of `A b`, c on t begin select 1; end", TriggerEvent::Update(Some(Name::new("A b")))),
            ("create trigger r /* insert */ UPDATE of Name on t begin select 1; end", TriggerEvent::Update(Some(Name::new("Name")))),
        ] {
            assert_eq!(trigger_event(sql), Some(event), "{sql}");
        }
        for text in ["", "create trigger", "create trigger r", "create trigger r on", "create trigger r after", "trigger if"] {
            assert_eq!(trigger_event(text), None, "{text}");
        }
    }

    #[test]
    fn names_are_found_and_texts_are_not() {
        let sql = "create trigger r after insert on t begin insert into log values (new.\"Title\", 'name'); end";
        assert!(mentions(sql, &Name::new("title")));
        assert!(!mentions(sql, &Name::new("name")));
    }
}
