//! Random tables with names of all lengths.

use super::{Names, modelled};
use migrate_core::name::quote_identifier;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Names near the limits are the interesting ones, and so are names that are the same up to their end.
fn name() -> impl Strategy<Value = String> {
    let alphabet = prop_oneof![Just("a"), Just("b"), Just("ä"), Just("表"), Just("😀"), Just("aé"), Just("x_")];
    let length = prop_oneof![1..8_usize, 20..40_usize, 55..=63_usize];
    (alphabet, length, 0..4_u8).prop_map(|(text, length, end)| {
        let mut name = text.repeat(length);
        let end = [String::new(), "1".to_owned(), "_key".to_owned(), "_check".to_owned()][usize::from(end)].clone();
        while name.len() + end.len() > length.max(end.len() + 4) {
            name.pop();
        }
        name + &end
    })
}

#[derive(Clone, Debug)]
struct Column {
    name: String,
    kind: u8,
    clauses: Vec<u8>,
}

fn column() -> impl Strategy<Value = Column> {
    (name(), 0..6_u8, vec(0..4_u8, 0..3)).prop_map(|(name, kind, clauses)| Column { name, kind, clauses })
}

impl Column {
    fn sql(&self, target: &str) -> String {
        let name = quote_identifier(&self.name);
        let kind = match self.kind {
            0 => "serial",
            1 => "integer generated always as identity",
            _ => "integer",
        };
        let clauses = self.clauses.iter().map(|clause| match clause {
            0 => " unique".to_owned(),
            1 => format!(" references {target}"),
            2 => format!(" check ({name} > 0)"),
            _ => format!(" check ({name} < 9)"),
        });
        format!("{name} {kind}{}", clauses.collect::<String>())
    }
}

/// Two tables, the second with constraints of all kinds, and indexes on both.
fn script() -> impl Strategy<Value = String> {
    let pick = || vec(any::<prop::sample::Index>(), 1..4);
    (name(), name(), name(), vec(column(), 1..4), vec((0..4_u8, pick()), 0..5), vec((0..3_u8, pick()), 0..5)).prop_map(
        |(target, key, table, columns, constraints, indexes)| {
            let (target, key, table) = (quote_identifier(&target), quote_identifier(&key), quote_identifier(&table));
            let chosen = |picks: &[prop::sample::Index]| {
                let mut names: Vec<String> = picks.iter().map(|pick| quote_identifier(&pick.get(&columns).name)).collect();
                names.dedup();
                names
            };
            let constraints = constraints.iter().map(|(kind, picks)| {
                let names = chosen(picks);
                match kind {
                    0 => format!("unique ({})", names.join(", ")),
                    1 => format!("foreign key ({}) references {target}", names[0]),
                    2 => format!("check ({} > 0)", names.join(" + ")),
                    _ => format!("unique ({}) include ({})", names[0], names.join(", ")),
                }
            });
            let parts: Vec<String> = columns.iter().map(|column| column.sql(&target)).chain(constraints).collect();
            let indexes = indexes.iter().map(|(kind, picks)| {
                let names = chosen(picks);
                match kind {
                    0 => format!("create index on {table} ({})", names.join(", ")),
                    1 => format!("create index on {table} (({}))", names.join(" + ")),
                    _ => format!("create index on {table} (abs({}), {})", names[0], names.join(", ")),
                }
            });
            let indexes: Vec<String> = indexes.collect();
            format!(
                "create table {target} ({key} integer primary key);\ncreate table {table} (\n    {}\n);\n{};",
                parts.join(",\n    "),
                indexes.join(";\n")
            )
        },
    )
}

/// Where the server accepts a script, the model finds nothing wrong with it and gives the same names.
#[test]
fn random_tables_give_the_names_of_the_server() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut names = runtime.block_on(Names::connect());
    let accepted = std::cell::Cell::new(0_u32);
    let names = std::cell::RefCell::new(&mut names);
    let mut runner = TestRunner::new(Config { cases: 250, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&script(), |sql| {
        let Ok(live) = runtime.block_on(names.borrow_mut().live(&sql)) else { return Ok(()) };
        accepted.set(accepted.get() + 1);
        prop_assert_eq!(modelled(&sql), Ok(live), "{}", sql);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    assert!(accepted.get() > 80, "the server accepted only {} scripts", accepted.get());
}
