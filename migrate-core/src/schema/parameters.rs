//! Storage parameters: `with (fillfactor = 70)`.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Storage parameters by name, as PostgreSQL's catalog has them: it doesn't tell `70` from `'70'`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Reads `name=value, name`: a parameter without a value is switched on.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let parameters = text.split(", ").filter(|parameter| !parameter.trim().is_empty());
        Self(
            parameters
                .map(|parameter| {
                    let (name, value) = parameter.split_once('=').unwrap_or((parameter, "true"));
                    (name.trim().to_lowercase(), spelt(value.trim()))
                })
                .collect(),
        )
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Name and value of each, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of a parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Sets those of `others`.
    pub fn set(&mut self, others: &Self) {
        self.0.extend(others.0.clone());
    }

    /// Takes a parameter away.
    pub fn reset(&mut self, name: &str) {
        self.0.remove(name);
    }
}

/// PostgreSQL takes several words for a truth value, and keeps the one that was written.
fn spelt(value: &str) -> String {
    match value.to_lowercase().as_str() {
        "on" | "yes" => "true".to_owned(),
        "off" | "no" => "false".to_owned(),
        other => other.to_owned(),
    }
}

/// What stands between the parentheses of `with (…)`.
impl fmt::Display for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parameters: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        f.write_str(&parameters.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn have_one_spelling() {
        let written = Parameters::read("Fillfactor=70, autovacuum_enabled=off, user_catalog_table");
        let stored = Parameters::read("user_catalog_table=true, autovacuum_enabled=false, fillfactor=70");
        assert_eq!(written, stored);
        assert_eq!(stored.to_string(), "autovacuum_enabled=false, fillfactor=70, user_catalog_table=true");
        assert!(Parameters::read("").is_empty());
    }
}
