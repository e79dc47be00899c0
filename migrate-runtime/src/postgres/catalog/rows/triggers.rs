//! Triggers.

use migrate_core::name::{Name, QualifiedName};
use migrate_core::schema::{ConstraintTrigger, Deferral, Schema, Trigger, TriggerEvent, TriggerState, TriggerTiming};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(super) struct TriggerRow {
    schema: Name,
    relation: Name,
    name: Name,
    #[serde(rename = "type")]
    kind: u16,
    columns: Vec<Name>,
    old_table: Option<Name>,
    new_table: Option<Name>,
    function_schema: Name,
    function_name: Name,
    definition: Option<String>,
    constraint: bool,
    deferrable: bool,
    deferred: bool,
    from_schema: Option<Name>,
    from_name: Option<Name>,
    enabled: String,
    comment: Option<String>,
}

/// The bits of `pg_trigger.tgtype` (`src/include/catalog/pg_trigger.h`).
mod bits {
    pub const ROW: u16 = 1;
    pub const BEFORE: u16 = 1 << 1;
    pub const INSERT: u16 = 1 << 2;
    pub const DELETE: u16 = 1 << 3;
    pub const UPDATE: u16 = 1 << 4;
    pub const TRUNCATE: u16 = 1 << 5;
    pub const INSTEAD: u16 = 1 << 6;
}

impl TriggerRow {
    pub(super) fn add_to(self, schema: &mut Schema) {
        let has = |bit: u16| self.kind & bit != 0;
        let timing = match (has(bits::BEFORE), has(bits::INSTEAD)) {
            (true, _) => TriggerTiming::Before,
            (_, true) => TriggerTiming::InsteadOf,
            _ => TriggerTiming::After,
        };
        let mut trigger = Trigger::new(timing, QualifiedName::new(self.function_schema, self.function_name));
        let events = [
            (bits::INSERT, TriggerEvent::Insert),
            (bits::DELETE, TriggerEvent::Delete),
            (bits::UPDATE, TriggerEvent::Update),
            (bits::TRUNCATE, TriggerEvent::Truncate),
        ];
        trigger.events = events.into_iter().filter(|(bit, _)| self.kind & bit != 0).map(|(_, event)| event).collect();
        trigger.for_each_row = self.kind & bits::ROW != 0;
        trigger.update_of = self.columns;
        (trigger.old_table, trigger.new_table) = (self.old_table, self.new_table);
        (trigger.when, trigger.arguments) = self.definition.as_deref().map(Trigger::read_definition).unwrap_or_default();
        if self.constraint {
            let deferral = match (self.deferrable, self.deferred) {
                (false, _) => Deferral::No,
                (true, false) => Deferral::Immediate,
                (true, true) => Deferral::Deferred,
            };
            let from = self.from_schema.zip(self.from_name).map(|(schema, name)| QualifiedName::new(schema, name));
            trigger.constraint = Some(ConstraintTrigger { deferral, from });
        }
        trigger.state = match self.enabled.as_str() {
            "D" => TriggerState::Disabled,
            "R" => TriggerState::Replica,
            "A" => TriggerState::Always,
            _ => TriggerState::Enabled,
        };
        trigger.comment = self.comment;
        schema.insert_trigger(&QualifiedName::new(self.schema, self.relation), &self.name, trigger);
    }
}
