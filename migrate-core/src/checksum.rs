//! The checksum of a migration: over what it does, not over how it is written.

use crate::expression::Expression;
use crate::step::Step;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// The version of the algorithm, the first part of every checksum.
pub const VERSION: &str = "1";

/// `1:` and 32 hexadecimal digits. Line endings, comments, formatting and positions don't change it.
#[must_use]
pub fn checksum(up: &[Step], down: &[Step]) -> String {
    let mut hasher = Sha256::new();
    for steps in [up, down] {
        for step in steps {
            hasher.update(meaning(step));
            hasher.update("\n");
        }
        hasher.update("\n");
    }
    format!("{VERSION}:{}", digits(&hasher.finalize(), 16))
}

/// What one step does, in 16 hexadecimal digits: of the same text as its part of [`checksum`], so that both hold still, or
/// change, together.
#[must_use]
pub fn of_step(step: &Step) -> String {
    digits(&Sha256::digest(meaning(step)), 8)
}

/// All that a step does, and nothing of how it is written.
fn meaning(step: &Step) -> String {
    let parts = serde_json::to_value((&step.action, step.if_exists, &step.when, step.dialect)).unwrap_or(Value::Null);
    canonical(parts).to_string()
}

fn digits(digest: &[u8], bytes: usize) -> String {
    digest.iter().take(bytes).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Expressions in their canonical spelling; everything else as it is.
fn canonical(value: Value) -> Value {
    match value {
        Value::Object(map) if map.len() == 1 && map.contains_key("sql") => {
            Value::String(Expression::new(map["sql"].as_str().unwrap_or_default()).canonical())
        }
        Value::Object(map) => {
            Value::Object(map.into_iter().filter(|(key, _)| key != "origin").map(|(key, value)| (key, canonical(value))).collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(canonical).collect()),
        value => value,
    }
}
