//! Branches that are said to commute do: replayed in either order they leave the same schema, and nothing is wrong.

use migrate_core::footprint::Footprint;
use migrate_core::replay::{replay, steps};
use migrate_core::schema::{Map, Schema};
use migrate_core::step::Step;
use proptest::prelude::*;

const BASE: &str = "
    create type mood as enum ('sad', 'ok');
    create table a (id bigint primary key, n int, m mood);
    create table b (id bigint primary key, a_id bigint references a, n int);
    create table c (id bigint generated always as identity primary key, t text);
    create index b_n_idx on b (n);
    create view v as select id, n from a;
    create sequence s;
    create schema area;
";

const STATEMENTS: &[&str] = &[
    "alter table a add column x int",
    "alter table a drop column n cascade",
    "alter table a rename column n to number",
    "alter table a rename to d",
    "alter table a alter column n set not null",
    "alter table b add column x int references a (id)",
    "alter table b add column mood mood",
    "alter table b rename column n to m",
    "alter table b drop constraint b_a_id_fkey",
    "alter table c add unique (t)",
    "alter table c add column n serial",
    "alter table c add foreign key (id) references b",
    "alter table c set schema area",
    "alter type mood add value 'great'",
    "alter type mood rename to feeling",
    "alter index b_n_idx rename to c_t_idx",
    "alter sequence s rename to a_n_idx",
    "comment on table a is 'the first'",
    "comment on column c.t is 'a text'",
    "create index on a (n)",
    "create index on b (n)",
    "create index on c (t)",
    "create table c_n_seq (id int)",
    "create table d (id bigint primary key, a_id bigint references a, m mood)",
    "create table area.c (id int)",
    "create table b_n_idx1 (id int)",
    "create unique index on c (lower(t))",
    "create view w as select id from v",
    "create view area.w as select t from c",
    "create type feeling as enum ('none')",
    "create schema other",
    "create extension citext",
    "drop view v",
    "drop table b",
    "drop table a cascade",
    "drop index b_n_idx",
    "drop sequence s",
    "drop schema area",
    "insert into c (t) values ('x')",
    "update b set n = 1",
    "delete from a",
];

fn branch() -> impl Strategy<Value = Vec<&'static str>> {
    proptest::collection::vec(proptest::sample::select(STATEMENTS), 1..4)
}

/// The schema after the branches, unless something is wrong in there, and the first branch's steps as they were bound.
fn after(base: &Schema, branches: [&[&str]; 2]) -> Result<(Schema, Vec<Step>), String> {
    let mut schema = base.clone();
    let mut first = None;
    for branch in branches {
        let mut steps = steps(&branch.join(";\n")).map_err(|problems| format!("{problems:?}"))?;
        let report = replay(&mut steps, &mut schema, "branch");
        if !report.is_empty() {
            return Err(format!("{branch:?}: {:?}", report.problems));
        }
        first.get_or_insert(steps);
    }
    // only for messages, and in the order of events
    schema.departed = Map::default();
    Ok((schema, first.unwrap_or_default()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_global_rejects: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn what_commutes_leaves_the_same_schema(left in branch(), right in branch()) {
        let (base, _) = after(&Schema::default(), [&[BASE], &[]]).map_err(TestCaseError::fail)?;
        let (alone, alone_too) = (after(&base, [&left, &[]]), after(&base, [&right, &[]]));
        prop_assume!(alone.is_ok() && alone_too.is_ok());
        let footprint = |branch: Result<(Schema, Vec<Step>), String>| branch.map(|(_, steps)| Footprint::of(&steps, &base));
        let (first, second) = (footprint(alone).map_err(TestCaseError::fail)?, footprint(alone_too).map_err(TestCaseError::fail)?);
        let clashes = first.clashes(&second);
        prop_assert_eq!(clashes.is_empty(), second.clashes(&first).is_empty());
        if clashes.is_empty() {
            let one = after(&base, [&left, &right]).map_err(TestCaseError::fail)?;
            let other = after(&base, [&right, &left]).map_err(TestCaseError::fail)?;
            prop_assert_eq!(one.0, other.0);
        }
    }
}

#[test]
fn enough_of_them_commute_to_say_something() {
    let (base, _) = after(&Schema::default(), [&[BASE], &[]]).unwrap();
    let alone: Vec<_> = STATEMENTS.iter().filter_map(|sql| Some((sql, after(&base, [&[*sql], &[]]).ok()?.1))).collect();
    let footprints: Vec<_> = alone.iter().map(|(_, steps)| Footprint::of(steps, &base)).collect();
    let pairs = footprints.iter().enumerate().flat_map(|(i, left)| footprints.iter().skip(i + 1).map(move |right| left.clashes(right)));
    let (commuting, clashing): (Vec<_>, Vec<_>) = pairs.partition(Vec::is_empty);
    assert!(commuting.len() > 200 && clashing.len() > 200, "{} commute, {} clash", commuting.len(), clashing.len());
}
