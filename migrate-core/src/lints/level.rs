//! What a finding does to the build.

use super::Lint;
use std::collections::BTreeMap;

/// What a finding does to the build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing: the rule is off.
    Allow,
    /// A warning of the compiler.
    Warn,
    /// An error of the compiler.
    Deny,
}

impl Level {
    /// As an attribute spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::Deny => "deny",
        }
    }
}

/// What a chain says about lints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Levels(BTreeMap<String, Level>);

impl Levels {
    /// Sets the level of a lint for the whole chain. The last word counts.
    pub fn set(&mut self, lint: &str, level: Level) {
        self.0.insert(lint.to_owned(), level);
    }

    /// The level of a lint.
    #[must_use]
    pub fn of(&self, lint: &Lint) -> Level {
        self.0.get(lint.name).copied().unwrap_or(lint.level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_has_the_last_word() {
        let lint = super::super::find("ban_drop_column").unwrap();
        let mut levels = Levels::default();
        assert_eq!(levels.of(lint), lint.level);
        levels.set("ban_drop_column", Level::Allow);
        levels.set("ban_drop_column", Level::Warn);
        assert_eq!(levels.of(lint), Level::Warn);
    }
}
