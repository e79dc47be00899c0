//! What the grammar makes of a text, once for the two that ask: the expansion of a migration, and the first of its
//! descendants that has to know what it did.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use migrate_core::lower::{self, Statement, SyntaxProblem};

/// How many texts may wait for the second one to ask.
const WAITING: usize = 65_536;

static PARSED: Mutex<BTreeMap<String, Vec<Statement>>> = Mutex::new(BTreeMap::new());

/// The statements of a text.
pub fn statements(text: &str) -> Result<Vec<Statement>, Vec<SyntaxProblem>> {
    let known = PARSED.lock().unwrap_or_else(PoisonError::into_inner).remove(text);
    if let Some(statements) = known {
        return Ok(statements);
    }
    let statements = lower::parse(text)?;
    let mut parsed = PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    if parsed.len() >= WAITING {
        parsed.clear();
    }
    parsed.insert(text.to_owned(), statements.clone());
    Ok(statements)
}
