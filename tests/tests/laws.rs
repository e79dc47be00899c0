//! What holds for every case holds for any migration that the checks accept, made of statements of all cases.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use migrate_core::lower;
use migrate_core::replay::{replay, steps};
use migrate_core::schema::Schema;
use migrate_tests::case::Case;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::path::Path;
use std::sync::LazyLock;

/// The bases of all cases, and the statements of their migrations.
static SAID: LazyLock<(Vec<String>, Vec<String>)> = LazyLock::new(|| {
    let files = Case::files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")).unwrap();
    let cases: Vec<Case> = files.iter().map(|file| Case::read(file).unwrap()).collect();
    let statements = cases.iter().flat_map(|case| lower::parse(&case.migration).unwrap_or_default());
    (cases.iter().map(|case| case.base.clone()).collect(), statements.map(|statement| statement.sql + ";\n").collect())
});

/// A base with what is said of it in cases: few statements fit a base that isn't theirs.
fn migration() -> impl Strategy<Value = (String, String)> {
    let base = any::<prop::sample::Index>().prop_map(|index| index.get(&SAID.0).clone());
    let statements = prop::collection::vec(any::<prop::sample::Index>().prop_map(|index| index.get(&SAID.1).clone()), 60..200);
    (base, statements).prop_map(|(base, statements)| {
        let mut schema = Schema::default();
        replay(&mut steps(&base).unwrap(), &mut schema, "base");
        let fits = |statement: &String| {
            let mut after = schema.clone();
            // one that the grammar takes without its semicolon only
            let Ok(mut steps) = steps(statement) else { return false };
            let fits = replay(&mut steps, &mut after, "migration").is_empty();
            if fits {
                schema = after;
            }
            fits
        };
        let migration = statements.into_iter().filter(fits).collect();
        (base, migration)
    })
}

/// The same mixtures each time, unless `PROPTEST_RNG_SEED` asks for others and `PROPTEST_CASES` for more.
fn config() -> ProptestConfig {
    let asked = ProptestConfig::default();
    let rng_seed = if asked.rng_seed == RngSeed::Random { RngSeed::Fixed(1) } else { asked.rng_seed };
    let cases = if asked.cases == 256 { 60 } else { asked.cases };
    ProptestConfig { cases, rng_seed, failure_persistence: None, ..asked }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_holds_for_cases_holds_for_any_mixture((base, migration) in migration()) {
        let case = Case { lints: true, ..Case::of(&base, &migration) };
        let outcome = case.run().unwrap();
        // where only the whole has an error, nothing has to hold
        prop_assume!(outcome.errors.is_empty());
        let violations = outcome.violations(&case);
        prop_assert!(violations.is_empty(), "{base}\n== migration\n{migration}\n{}", violations.join("\n"));
    }
}
