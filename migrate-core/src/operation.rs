//! One change of a schema, as a value.

use crate::effects::Effects;
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Why an operation has no derived inverse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoInverse {
    /// A clause that completes "no `down` can be derived: …".
    pub reason: String,
}

impl NoInverse {
    /// No inverse, because of `reason`.
    pub fn because(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

/// The operations that undo one, or why there are none.
pub type Inverse = Result<Vec<Operation>, NoInverse>;

/// What every operation states about itself. One file of `ops` implements it for one operation.
pub trait Operate {
    /// As a person says it, with names in backticks: ``add column `documents.title` ``.
    fn describe(&self) -> String;

    /// What must be there besides what the operation itself creates, drops or changes: the table of a column, the target
    /// of a foreign key, the columns of an index. Where one of them is absent, the operation is skipped or fails.
    fn requires(&self) -> Vec<ObjectKey>;

    /// The objects whose definition the operation changes: their definitions before and after it decide its verdict. The
    /// first is what the statement is about; where it renames, that is the old name.
    fn touches(&self) -> Vec<ObjectKey>;

    /// Fills in what PostgreSQL would choose: names of unnamed constraints, indexes and sequences, referenced columns.
    fn bind(&mut self, _schema: &Schema) {}

    /// Reports what is wrong with it, given the schema before it. Never changes anything.
    fn check(&self, schema: &Schema, report: &mut Report);

    /// Makes `schema` what it is after the operation. Where [`check`](Self::check) finds nothing wrong this can't fail;
    /// where it would, the change is made as far as it makes sense, so that one mistake makes one message.
    fn apply(&self, schema: &mut Schema, origin: &Origin);

    /// What it does to a running system, given the schema before it.
    fn effects(&self, schema: &Schema) -> Effects;

    /// What undoes it, given the schema before it.
    ///
    /// # Errors
    /// Where nothing can, says why.
    fn inverse(&self, before: &Schema) -> Inverse;

    /// The PostgreSQL statements that do it, with every name qualified.
    fn render(&self) -> Vec<String>;
}

/// Lists the operations: an enum of them, and the dispatch to the one that it is.
macro_rules! operations {
    ($($(#[$doc:meta])* $variant:ident),* $(,)?) => {
        /// One change of a schema.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "op", rename_all = "snake_case")]
        pub enum Operation {
            $($(#[$doc])* $variant(crate::ops::$variant),)*
        }

        $(impl From<crate::ops::$variant> for Operation {
            fn from(operation: crate::ops::$variant) -> Self {
                Self::$variant(operation)
            }
        })*

        impl Operate for Operation {
            fn describe(&self) -> String {
                match self { $(Self::$variant(operation) => operation.describe(),)* }
            }
            fn requires(&self) -> Vec<ObjectKey> {
                match self { $(Self::$variant(operation) => operation.requires(),)* }
            }
            fn touches(&self) -> Vec<ObjectKey> {
                match self { $(Self::$variant(operation) => operation.touches(),)* }
            }
            fn bind(&mut self, schema: &Schema) {
                match self { $(Self::$variant(operation) => operation.bind(schema),)* }
            }
            fn check(&self, schema: &Schema, report: &mut Report) {
                match self { $(Self::$variant(operation) => operation.check(schema, report),)* }
            }
            fn apply(&self, schema: &mut Schema, origin: &Origin) {
                match self { $(Self::$variant(operation) => operation.apply(schema, origin),)* }
            }
            fn effects(&self, schema: &Schema) -> Effects {
                match self { $(Self::$variant(operation) => operation.effects(schema),)* }
            }
            fn inverse(&self, before: &Schema) -> Inverse {
                match self { $(Self::$variant(operation) => operation.inverse(before),)* }
            }
            fn render(&self) -> Vec<String> {
                match self { $(Self::$variant(operation) => operation.render(),)* }
            }
        }
    };
}

operations! {
    /// `alter table … add column`.
    AddColumn,
    /// `alter table … add constraint`.
    AddConstraint,
    /// `alter type … add value`.
    AddEnumValue,
    /// `alter table … alter column … add generated … as identity`.
    AddIdentity,
    /// `alter table … alter column … type`.
    AlterColumnType,
    /// `alter type … attribute`.
    AlterComposite,
    /// `alter domain`.
    AlterDomain,
    /// `alter table … alter constraint`.
    AlterConstraint,
    /// `alter table … alter column … set generated`.
    AlterIdentity,
    /// `alter … owner to`.
    AlterOwner,
    /// `alter policy`.
    AlterPolicy,
    /// `alter table … row level security`.
    AlterRowSecurity,
    /// `alter function`, `alter procedure`.
    AlterRoutine,
    /// `alter sequence`.
    AlterSequence,
    /// `alter table … set (…)` and other changes of how rows are stored.
    AlterStorage,
    /// `alter index … attach partition`.
    AttachIndex,
    /// `alter table … attach partition`.
    AttachPartition,
    /// `backfill … in batches of`.
    Backfill,
    /// `comment on`.
    CommentOn,
    /// `create type … as (…)`.
    CreateComposite,
    /// `create domain`.
    CreateDomain,
    /// `create type … as enum`.
    CreateEnum,
    /// `create extension`.
    CreateExtension,
    /// `create index`.
    CreateIndex,
    /// `create policy`.
    CreatePolicy,
    /// `create function`, `create procedure`.
    CreateRoutine,
    /// `create schema`.
    CreateSchema,
    /// `create sequence`.
    CreateSequence,
    /// `create table`.
    CreateTable,
    /// `create table … as`.
    CreateTableAs,
    /// `create trigger`.
    CreateTrigger,
    /// `create view`.
    CreateView,
    /// `alter table … detach partition`.
    DetachPartition,
    /// `alter table … drop column`.
    DropColumn,
    /// `alter table … drop constraint`.
    DropConstraint,
    /// `alter table … alter column … drop default`.
    DropDefault,
    /// `alter table … alter column … drop expression`.
    DropExpression,
    /// `drop extension`.
    DropExtension,
    /// `alter table … alter column … drop identity`.
    DropIdentity,
    /// `drop index`.
    DropIndex,
    /// `alter table … alter column … drop not null`.
    DropNotNull,
    /// `drop policy`.
    DropPolicy,
    /// `drop function`, `drop procedure`.
    DropRoutine,
    /// `drop schema`.
    DropSchema,
    /// `drop sequence`.
    DropSequence,
    /// `drop table`.
    DropTable,
    /// `drop trigger`.
    DropTrigger,
    /// `drop type`, `drop domain`.
    DropType,
    /// `drop view`.
    DropView,
    /// `grant`.
    Grant,
    /// `alter table … inherit`.
    Inherit,
    /// `alter table … no inherit`.
    NoInherit,
    /// `alter table … rename column`.
    RenameColumn,
    /// `alter table … rename constraint`.
    RenameConstraint,
    /// `alter type … rename value`.
    RenameEnumValue,
    /// `alter index … rename to`.
    RenameIndex,
    /// `alter policy … rename to`.
    RenamePolicy,
    /// `alter function … rename to`.
    RenameRoutine,
    /// `alter schema … rename to`.
    RenameSchema,
    /// `alter sequence … rename to`.
    RenameSequence,
    /// `alter table … rename to`.
    RenameTable,
    /// `alter trigger … rename to`.
    RenameTrigger,
    /// `alter type … rename to`, `alter domain … rename to`.
    RenameType,
    /// `alter view … rename to`.
    RenameView,
    /// `revoke`.
    Revoke,
    /// `alter table … alter column … set default`.
    SetDefault,
    /// `alter table … alter column … set not null`.
    SetNotNull,
    /// `alter function … set schema`.
    SetRoutineSchema,
    /// `alter table … set schema`.
    SetTableSchema,
    /// `alter table … enable trigger`, `disable trigger`.
    SetTriggerState,
    /// `alter type … set schema`, `alter domain … set schema`.
    SetTypeSchema,
    /// `alter table … validate constraint`.
    ValidateConstraint,
    /// Anything that the model has no operation for.
    Opaque,
}
