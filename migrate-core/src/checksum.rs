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
            let parts = serde_json::to_value((&step.action, step.if_exists, &step.when, step.dialect)).unwrap_or(Value::Null);
            hasher.update(canonical(parts).to_string());
            hasher.update("\n");
        }
        hasher.update("\n");
    }
    let digest = hasher.finalize();
    digest.iter().take(16).fold(format!("{VERSION}:"), |mut text, byte| {
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
