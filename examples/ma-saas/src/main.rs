//! The `migrate` command of the founding case.

migrate_runtime::main!(ma_saas::migrations);
