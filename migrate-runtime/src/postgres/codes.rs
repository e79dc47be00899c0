//! What the server's error codes mean to the engine.

use crate::Error;

/// There is no transaction, or another one than that with our savepoint.
pub(super) fn is_without_savepoint(error: &Error) -> bool {
    matches!(error, Error::Server { sqlstate: Some(code), .. } if matches!(code.as_str(), "25P01" | "3B001"))
}

/// Something is missing. It doesn't say what.
pub(super) fn is_absent(code: &str) -> bool {
    matches!(code, "42P01" | "42703" | "42704" | "42883" | "3F000" | "22023")
}

/// Something is there already. It doesn't say what.
pub(super) fn is_duplicate(code: &str) -> bool {
    matches!(code, "42P07" | "42710" | "42701" | "42P06" | "42723" | "42P16")
}

/// Somebody has cancelled it, or the server has no room for it: what the statement is about is not to blame.
pub(super) fn is_about_the_server(code: &str) -> bool {
    matches!(code, "57014" | "53000" | "53100" | "53200" | "53400")
}

/// Trying again may help.
pub(super) fn is_transient_code(code: &str) -> bool {
    matches!(code, "55P03" | "40P01" | "40001" | "53300" | "57P03")
}

/// Trying again may help.
pub(super) fn is_transient(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if error.code().is_some_and(|code| is_transient_code(&code)))
}

/// A table can't be changed while rows of it wait for their checks.
pub(super) fn is_pending(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if error.code().as_deref() == Some("55006"))
}

/// The reason, if the connection is gone.
pub(crate) fn lost(error: &sqlx::Error) -> Option<String> {
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code()?;
            let gone = code.starts_with("08") || matches!(&*code, "57P01" | "57P02" | "25P03" | "40003");
            gone.then(|| error.message().to_owned())
        }
        sqlx::Error::Io(error) => Some(error.to_string()),
        sqlx::Error::Protocol(reason) => Some(reason.clone()),
        sqlx::Error::WorkerCrashed => Some("the driver's worker crashed".to_owned()),
        _ => None,
    }
}
