//! The operations, one a file.

mod add_column;
mod add_constraint;
mod add_enum_value;
mod add_identity;
mod alter_column;
mod alter_column_type;
mod alter_identity;
mod alter_sequence;
mod cascade;
mod comment_on;
mod create_enum;
mod create_extension;
mod create_index;
mod create_schema;
mod create_sequence;
mod create_table;
mod create_view;
mod drop_column;
mod drop_constraint;
mod drop_default;
mod drop_expression;
mod drop_extension;
mod drop_identity;
mod drop_index;
mod drop_not_null;
mod drop_schema;
mod drop_sequence;
mod drop_table;
mod drop_type;
mod drop_view;
mod opaque;
mod rename_column;
mod rename_constraint;
mod rename_enum_value;
mod rename_index;
mod rename_sequence;
mod rename_table;
mod rename_type;
mod rename_view;
mod set_default;
mod set_not_null;
mod set_table_schema;
mod validate_constraint;

pub use add_column::AddColumn;
pub use add_constraint::AddConstraint;
pub use add_enum_value::{AddEnumValue, ValuePosition};
pub use add_identity::AddIdentity;
pub use alter_column_type::AlterColumnType;
pub use alter_identity::AlterIdentity;
pub use alter_sequence::{AlterSequence, SequenceChange};
pub use comment_on::{CommentOn, CommentTarget};
pub use create_enum::CreateEnum;
pub use create_extension::CreateExtension;
pub use create_index::CreateIndex;
pub use create_schema::CreateSchema;
pub use create_sequence::CreateSequence;
pub use create_table::CreateTable;
pub use create_view::CreateView;
pub use drop_column::DropColumn;
pub use drop_constraint::DropConstraint;
pub use drop_default::DropDefault;
pub use drop_expression::DropExpression;
pub use drop_extension::DropExtension;
pub use drop_identity::DropIdentity;
pub use drop_index::DropIndex;
pub use drop_not_null::DropNotNull;
pub use drop_schema::DropSchema;
pub use drop_sequence::DropSequence;
pub use drop_table::DropTable;
pub use drop_type::DropType;
pub use drop_view::DropView;
pub use opaque::{Opaque, Refusal};
pub use rename_column::RenameColumn;
pub use rename_constraint::RenameConstraint;
pub use rename_enum_value::RenameEnumValue;
pub use rename_index::RenameIndex;
pub use rename_sequence::RenameSequence;
pub use rename_table::RenameTable;
pub use rename_type::RenameType;
pub use rename_view::RenameView;
pub use set_default::SetDefault;
pub use set_not_null::SetNotNull;
pub use set_table_schema::SetTableSchema;
pub use validate_constraint::ValidateConstraint;

use crate::name::{DEFAULT_SCHEMA, QualifiedName};
use crate::schema::ObjectKey;

/// The schema that an object goes into, where it isn't the default one: it must be there.
pub(crate) fn schema_of(name: &QualifiedName) -> Vec<ObjectKey> {
    let other = (name.schema.as_str() != DEFAULT_SCHEMA).then(|| ObjectKey::Schema(name.schema.clone()));
    other.into_iter().collect()
}
