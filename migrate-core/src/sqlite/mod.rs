//! SQLite as a dialect of the same language.
//!
//! [`project`] says what a schema looks like on SQLite. Everything else follows from it: an operation is done by the
//! difference of the projections before and after it ([`plan`]), and it is done already where the database is like the
//! projection after it ([`changes`], [`verdict`]). So an operation needs no SQL of its own for SQLite: only what it renames, and what it
//! does to values, has to be known besides.
//!
//! | PostgreSQL | on SQLite |
//! |---|---|
//! | types | storage types |
//! | an enum type | nothing; its columns are `text` with a check constraint `<column>_enum` |
//! | serial, identity: the primary key | `primary key autoincrement` |
//! | `now()`, `current_timestamp` | `CURRENT_TIMESTAMP`, in UTC |
//! | `gen_random_uuid()` | a version 4 UUID from `randomblob` |
//! | `not valid`, `validate constraint` | checked at once; nothing |
//! | `concurrently`, `using hash`, operator classes, `nulls first`, storage parameters, `unlogged` | nothing |
//! | comments; the extensions that only help with what is built in (`pgcrypto`, `uuid-ossp`, …) | nothing |
//! | `vacuum`, `analyze`, `set`, `lock` | nothing |
//! | `truncate`: of tables that no others refer to, and that no trigger watches | `delete`, of the referring tables first |
//! | create, drop and rename table; rename column; create and drop index and view | the same |
//! | add column: nullable or with a constant default, no key | the same |
//! | drop column: in no constraint but its own check | the same |
//! | rename index, replace view | drop and create |
//! | every other change of a table | a rebuild that keeps rows, indexes, triggers and foreign keys |
//! | other schemas, exclusion constraints, `include`, gin and gist, partitions, functions, policies, … | [`Unsupported`] |

mod batched;
mod cast;
mod convert;
mod difference;
mod functions;
mod overlay;
mod plan;
mod project;
mod rebuild;
mod render;
mod replay;
mod support;
#[cfg(test)]
#[cfg(feature = "parser")]
mod tests;
pub mod text;
mod translate;
mod triggers;
mod truncate;
mod types;
mod unsupported;
mod verdict;

pub use batched::batched;
pub use overlay::overlay;
pub use plan::{SqliteStep, plan};
pub use project::{autoincrement, project};
pub use replay::{can_do, replay};
pub use triggers::{TriggerEvent, trigger_event};
pub use types::live_type;
pub use unsupported::Unsupported;
pub use verdict::{changes, verdict};
