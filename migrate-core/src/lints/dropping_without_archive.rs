//! `dropping_without_archive`: data goes, and no copy of it is kept.
//!
//! - **Finds**: a dropped table or column that was there before, of which no earlier step of the migration made a copy, and
//!   that isn't the copy itself: a table that was renamed to make room for another one
//! - **Blocks**: nothing; what was in it is in no backup that is younger than the migration, and `down` brings back the shape
//!   alone
//! - **Instead**: keep the rows in a table of their own, `create table … as select …`, and drop that one later; or
//!   acknowledge that nobody will want them back
//! - **Source**: "Refactoring Databases" (Ambler, Sadalage), "Drop Column", "Drop Table"

use super::{Context, Findings, Lint, data};
use crate::name::{At, QualifiedName};
use crate::operation::Operation;
use crate::schema::ObjectKey;

pub(super) const LINT: Lint = Lint::of_history("dropping_without_archive", check).warns();

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some((key, table, at, select)) = dropped(context) else { return };
    if context.is_new(&key) || context.is_new_table(table) || data::is_after_data(context, table) || was_put_aside(context, table) {
        return;
    }
    let archive = table.sibling(format!("{}_archive", table.name));
    findings
        .find(at, format!("what is in {} `{}` is lost, and no copy was made", key.kind(), key.name()))
        .maybe_note(context.creator(&key).map(|place| format!("it was created by {place}")))
        .instead(format!("keep it: `create table {} as select {select} from {}` before the drop", archive.quoted(), table.quoted()));
}

/// Whether it was renamed by an earlier migration, and another table has its old name: it is the copy that was kept.
fn was_put_aside(context: &Context<'_>, table: &QualifiedName) -> bool {
    let former = context.start().former_names(&ObjectKey::Table(table.clone()));
    former.iter().any(|key| context.start().definition(key).is_some())
}

/// What the step drops with its data, its table, where it is named, and what a copy would have to hold.
fn dropped<'a>(context: &Context<'a>) -> Option<(ObjectKey, &'a QualifiedName, At, String)> {
    match context.operation()? {
        Operation::DropTable(drop) => {
            context.before().table(&drop.name)?;
            Some((ObjectKey::Table(drop.name.clone()), &drop.name, drop.name.at(), "*".to_owned()))
        }
        Operation::DropColumn(drop) => {
            let table = context.before().table(&drop.table)?;
            // what is computed can be computed again
            let column = table.column(drop.column.as_str()).filter(|column| column.generated.is_none())?;
            let key = table.primary_key().map(|constraint| &constraint.kind);
            let mut columns = match key {
                Some(crate::schema::ConstraintKind::PrimaryKey(key)) => key.columns.clone(),
                _ => Vec::new(),
            };
            columns.retain(|key| *key != column.name);
            columns.push(column.name.clone());
            let key = ObjectKey::Column(drop.table.clone(), drop.column.clone());
            Some((key, &drop.table, drop.column.at, crate::name::quoted_list(&columns)))
        }
        _ => None,
    }
}
