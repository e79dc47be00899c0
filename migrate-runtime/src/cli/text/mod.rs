//! Results as text, readable without colour.

mod plan;
mod sql;
mod status;
mod table;
mod work;

pub(super) use plan::plan;
pub(super) use sql::plan_as_sql;
pub(super) use status::{check, current, skipped, state, status};
pub(super) use work::{after_down, after_up, pace, revision, stamped};

use crate::Head;

/// `3 revisions`, `1 revision`.
fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// `0.4 s`, `2 min 5 s`.
pub(super) fn seconds(milliseconds: u64) -> String {
    let tenths = milliseconds.saturating_add(50) / 100;
    if tenths < 600 {
        return format!("{}.{} s", tenths / 10, tenths % 10);
    }
    let seconds = tenths / 10;
    format!("{} min {} s", seconds / 60, seconds % 60)
}

/// `at aae3309a2a8b (m0008_reviews)`, given revisions and names.
pub(super) fn at(current: &[(&str, &str)]) -> String {
    if current.is_empty() {
        return "at no revision yet".to_owned();
    }
    let heads: Vec<String> = current.iter().map(|(revision, name)| format!("{revision} ({name})")).collect();
    format!("at {}", heads.join(" and "))
}

fn at_heads(heads: &[Head]) -> String {
    let heads: Vec<_> = heads.iter().map(|head| (head.revision.as_str(), head.name.as_str())).collect();
    at(&heads)
}

/// What is still skipped, as the end of a sentence.
fn still_skipped(skipped: usize) -> String {
    match skipped {
        0 => String::new(),
        1 => "; 1 operation is skipped for now: `migrate skipped` shows it".to_owned(),
        _ => format!("; {skipped} operations are skipped for now: `migrate skipped` lists them"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_has_a_tenth_of_a_second() {
        assert_eq!([0, 49, 50, 449, 59_900].map(seconds), ["0.0 s", "0.0 s", "0.1 s", "0.4 s", "59.9 s"]);
        assert_eq!(seconds(59_950), "1 min 0 s");
        assert_eq!(seconds(125_000), "2 min 5 s");
    }

    #[test]
    fn several_heads_are_all_named() {
        assert_eq!(at(&[("a", "m1"), ("b", "m2")]), "at a (m1) and b (m2)");
        assert_eq!(at(&[]), "at no revision yet");
    }
}
