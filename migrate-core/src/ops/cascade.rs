//! What falls with an object that is dropped with `cascade`, as drops of its own.
//!
//! A drop that cascades is those drops and then itself without `cascade`: so it is applied, and so it is undone.

use crate::effects::Effects;
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, Operate, Operation};
use crate::ops::{
    AlterComposite, AttributeChange, DropColumn, DropConstraint, DropDefault, DropIndex, DropPolicy, DropRoutine, DropTable, DropTrigger,
    DropType, DropView, RoutineReference, drop_table,
};
use crate::schema::{ObjectKey, Origin, Schema, Signature, Table, Tie, TypeUser};

/// What depends on a column and doesn't fall with it by itself: policies, views, foreign keys, triggers, generated
/// columns, and the defaults of others that take values from its sequence.
pub(super) fn of_column(schema: &Schema, table: &QualifiedName, column: &Name) -> Vec<Operation> {
    let views = drop_views(schema, schema.views_reading_column(table, column.as_str()));
    let foreign_keys = drop_constraints(schema.foreign_keys_to_column(table, column.as_str()));
    let computed = generated_from(schema, table, column).into_iter().map(|name| DropColumn::cascading(table, &name));
    let triggers = schema.triggers_on_column(table, column.as_str()).into_iter().map(|name| DropTrigger::new(table.clone(), name).into());
    let policies = drop_policies(schema.policies_reading_column(table, column.as_str()));
    let defaults = drop_defaults(schema, table, Some(column));
    policies.chain(views).chain(foreign_keys).chain(triggers).chain(computed.map(Into::into)).chain(defaults).collect()
}

/// What depends on a table and doesn't fall with it by itself: views, policies and foreign keys of other tables, columns and
/// functions of its row type, and the defaults of other tables that take values from its sequences.
pub(super) fn of_table(schema: &Schema, table: &QualifiedName) -> Vec<Operation> {
    let views = drop_views(schema, schema.views_reading(table));
    let foreign_keys = drop_constraints(schema.foreign_keys_to_table(table));
    let typed = schema.columns_of_type(table).into_iter().filter(|(owner, _)| owner != table);
    let columns = typed.map(|(owner, column)| DropColumn::cascading(&owner, &column).into());
    let policies = drop_policies(schema.policies_reading(table));
    let inherits = |child: &&Table| child.inherits.contains(table);
    let children = schema
        .tables_that(&Tie::Parent(table.clone()))
        .filter(inherits)
        .map(|child| DropTable { cascade: true, ..DropTable::new(child.name.clone()) }.into());
    let routines = drop_routines(schema, schema.routines_using_type(table));
    children
        .chain(policies)
        .chain(views)
        .chain(foreign_keys)
        .chain(columns)
        .chain(routines)
        .chain(drop_defaults(schema, table, None))
        .collect()
}

/// What is made of a type: columns, domains, attributes, functions.
pub(super) fn of_type(schema: &Schema, name: &QualifiedName) -> Vec<Operation> {
    let columns = schema.columns_of_type(name).into_iter().map(|(table, column)| DropColumn::cascading(&table, &column).into());
    let others = schema.type_users(name).into_iter().map(|user| match user {
        TypeUser::Domain(name) => DropType { cascade: true, domain: true, ..DropType::new(name) }.into(),
        TypeUser::Attribute(owner, attribute) => {
            let change = AttributeChange::Drop { name: attribute, if_exists: false };
            AlterComposite { name: owner, change, cascade: false }.into()
        }
    });
    columns.chain(others).chain(drop_routines(schema, schema.routines_using_type(name))).collect()
}

/// Drops functions and procedures, with the triggers that execute them and all that calls them.
fn drop_routines(schema: &Schema, routines: Vec<Signature>) -> impl Iterator<Item = Operation> {
    routines.into_iter().filter_map(|signature| {
        let kind = schema.routines.get(&signature)?.kind;
        Some(DropRoutine { cascade: true, ..DropRoutine::new(RoutineReference::to(kind, &signature)) }.into())
    })
}

/// What depends on a function: the triggers that execute it, and all that calls it.
pub(super) fn of_routine(schema: &Schema, function: &Signature) -> Vec<Operation> {
    let mut drops: Vec<Operation> =
        schema.triggers_executing(function).into_iter().map(|(relation, name)| DropTrigger::new(relation, name).into()).collect();
    let callers = schema.callers_of(function);
    let views = callers.iter().filter_map(|caller| if let ObjectKey::View(view) = caller { Some(view.clone()) } else { None });
    drops.extend(drop_views(schema, views.collect()));
    drops.extend(callers.into_iter().filter_map(|caller| match caller {
        ObjectKey::Column(table, column) => {
            let generated = schema.column(&table, column.as_str()).is_some_and(|column| column.generated.is_some());
            Some(if generated { DropColumn::cascading(&table, &column).into() } else { DropDefault { table, column, only: true }.into() })
        }
        ObjectKey::Constraint(table, name) => Some(DropConstraint::new(table, name).into()),
        ObjectKey::Index(name) => {
            let table = schema.table_of_index(&name).map(|table| table.name.clone());
            Some(DropIndex { table, ..DropIndex::new(name) }.into())
        }
        ObjectKey::Policy(table, name) => Some(DropPolicy { table, name, if_exists: false }.into()),
        ObjectKey::Trigger(relation, name) => Some(DropTrigger::new(relation, name).into()),
        _ => None,
    }));
    drops
}

/// The columns that are computed from another one.
pub(super) fn generated_from(schema: &Schema, table: &QualifiedName, column: &Name) -> Vec<Name> {
    let columns = schema.table(table).into_iter().flat_map(|table| &table.columns).filter(|other| other.name != *column);
    let computed = columns.filter(|other| other.generated.as_ref().is_some_and(|it| it.expression.mentions(column.as_str())));
    computed.map(|column| column.name.clone()).collect()
}

/// Drops policies.
pub(super) fn drop_policies(policies: Vec<(QualifiedName, Name)>) -> impl Iterator<Item = Operation> {
    policies.into_iter().map(|(table, name)| DropPolicy { table, name, if_exists: false }.into())
}

/// Drops views, each after those that read it.
fn drop_views(schema: &Schema, views: Vec<QualifiedName>) -> impl Iterator<Item = Operation> {
    let mut open = views.clone();
    for above in views.iter().flat_map(|view| schema.views_above(view)) {
        if !open.contains(&above) {
            open.push(above);
        }
    }
    let mut ordered = Vec::new();
    while let Some(next) = open.iter().position(|view| !schema.views_reading(view).iter().any(|reader| open.contains(reader))) {
        ordered.push(open.remove(next));
    }
    let materialized = |view: &QualifiedName| schema.views.get(view).is_some_and(|view| view.materialized);
    let drops: Vec<Operation> = ordered
        .into_iter()
        .map(|name| DropView { materialized: materialized(&name), name, cascade: false, if_exists: false }.into())
        .collect();
    drops.into_iter()
}

fn drop_constraints(constraints: Vec<(QualifiedName, Name)>) -> impl Iterator<Item = Operation> {
    constraints.into_iter().map(|(table, name)| DropConstraint::new(table, name).into())
}

/// Drops the defaults of others that use a sequence of the table, or of that column.
fn drop_defaults<'a>(schema: &'a Schema, table: &'a QualifiedName, of: Option<&'a Name>) -> impl Iterator<Item = Operation> + 'a {
    let fed = drop_table::owned_sequences(schema, table, of).flat_map(|(sequence, _)| schema.columns_fed_by(sequence));
    let others = fed.filter(move |(user, column)| user != table || of.is_some_and(|of| of != column));
    others.map(|(table, column)| DropDefault { table, column, only: true }.into())
}

/// Applies the drops before the one that they fall with.
pub(super) fn apply(drops: &[Operation], schema: &mut Schema, origin: &Origin) {
    for drop in drops {
        drop.apply(schema, origin);
    }
}

/// The effects of a drop, with the locks of what falls before it.
pub(super) fn and_locks(effects: Effects, drops: &[Operation], schema: &Schema) -> Effects {
    let locks = drops.iter().flat_map(|drop| drop.effects(schema).locks);
    locks.fold(effects, |effects, (table, mode)| effects.and_lock(&table, mode))
}

/// What undoes `drops` and then `last`, where `last_inverse` undoes the latter, given the schema between.
pub(super) fn undo(drops: &[Operation], before: &Schema, last_inverse: impl FnOnce(&Schema) -> Inverse) -> Inverse {
    let mut schema = before.clone();
    let mut inverses = Vec::new();
    for drop in drops {
        inverses.push(drop.inverse(&schema)?);
        drop.apply(&mut schema, &Origin::default());
    }
    inverses.push(last_inverse(&schema)?);
    Ok(inverses.into_iter().rev().flatten().collect())
}
