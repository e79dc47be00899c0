//! What the compiler says about one mistake each.

#[test]
fn every_mistake_is_told_once_at_its_word() {
    trybuild::TestCases::new().compile_fail("fail/*/main.rs");
}
