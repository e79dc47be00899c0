//! `require_enum_value_ordering`: a value of an enum is sorted behind all others, because nobody said where.
//!
//! - **Finds**: `add value` without `before` or `after`
//! - **Blocks**: nothing; but `order by` and `<` follow the order of the values, which can't be changed later
//! - **Instead**: say `after` or `before` which value
//! - **Source**: PostgreSQL manual, `ALTER TYPE`, `ADD VALUE`; squawk `require-enum-value-ordering`

use super::{Context, Findings, Lint};
use crate::operation::Operation;

pub(super) const LINT: Lint = Lint::of_statement("require_enum_value_ordering", check).warns();

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::AddEnumValue(add)) = context.operation() else { return };
    let labels = context.before().enums.get(&add.name).map(|known| known.labels.as_slice()).unwrap_or_default();
    if add.position.is_some() || labels.iter().any(|label| add.label == *label.as_str()) {
        return;
    }
    let help = match labels.last() {
        Some(last) => format!("write `after '{last}'`, or where else it belongs"),
        None => "write `after` or `before` which value".to_owned(),
    };
    findings.find(add.label.at, format!("'{}' is sorted behind all values of `{}`, for good", add.label, add.name)).instead(help);
}
