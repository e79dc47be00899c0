//! The text of a chain, and of the same modules without macros.

use std::fmt::Write as _;

/// How many operations each migration has.
pub const OPERATIONS: usize = 10;

/// A migration of the chain.
#[derive(Clone, Copy)]
pub struct Link(pub usize);

impl Link {
    /// The name of the module, and of the file.
    pub fn module(self) -> String {
        format!("m{:04}_orders", self.0)
    }

    fn table(self) -> String {
        format!("orders_{:04}", self.0)
    }

    fn revision(self) -> String {
        format!("r{:04}", self.0)
    }

    /// Its statements: most of them about a new table, and one about the table of an ancestor half the way back.
    fn statements(self) -> Vec<String> {
        let (table, number) = (self.table(), self.0);
        let (parent, old) = (Self(number.saturating_sub(1)).table(), Self(number / 2).table());
        let statements = [
            format!(
                "create table {table} (\n            id bigint generated always as identity primary key,\n            \
                 parent_id bigint,\n            title text not null,\n            state text not null default \"new\",\n            \
                 amount numeric(12, 2),\n            created_at timestamptz not null default now()\n        )"
            ),
            format!("alter table {table} add column note text"),
            format!(
                "alter table {table} add constraint {table}_parent_fk foreign key (parent_id) references {parent} (id) on delete cascade"
            ),
            format!("create index {table}_parent_idx on {table} (parent_id)"),
            format!("alter table {table} alter column amount type numeric(14, 2)"),
            format!("alter table {table} rename column note to remark"),
            format!("alter table {table} alter column remark set default \"\""),
            format!("create view open_{table} as select id, title, remark from {table} where state = \"new\""),
            format!("comment on table {table} is \"what was ordered in round {number}\""),
            format!("alter table {old} add column extra_{number:04} text"),
        ];
        assert_eq!(statements.len(), OPERATIONS);
        statements.into()
    }

    /// The file of the migration.
    pub fn with_macros(self) -> String {
        let parent = self.0.checked_sub(1).map(|parent| format!(", parent = \"{}\"", Self(parent).revision())).unwrap_or_default();
        let mut text = String::from("use migrate_runtime::migration;\n\n");
        let _ = writeln!(text, "/// Takes the orders of round {}.", self.0);
        let _ = writeln!(text, "#[migration(revision = \"{}\"{parent})]\nmod orders {{\n    up! {{", self.revision());
        for statement in self.statements() {
            let _ = writeln!(text, "        {statement};");
        }
        text.push_str("    }\n}\n");
        text
    }

    /// A file of the same shape that the compiler takes as it is.
    pub fn without_macros(self) -> String {
        let parents = self.0.checked_sub(1).map(|parent| format!("{:?}", Self(parent).revision())).unwrap_or_default();
        let (revision, name, sql) = (self.revision(), self.module(), self.statements().join(";\n"));
        let number = self.0;
        format!(
            "/// Takes the orders of round {number}.\nmod orders {{\n    \
             pub(super) const MIGRATION: &::migrate_runtime::Migration = &::migrate_runtime::Migration {{\n        \
             revision: {revision:?},\n        parents: &[{parents}],\n        name: {name:?},\n        file: {name:?},\n        \
             summary: \"\",\n        checksum: {revision:?},\n        up: {sql:?},\n        \
             down: ::migrate_runtime::Down::Derived,\n        functions: &[],\n        batch_functions: &[],\n    }};\n}}\n\
             #[allow(dead_code)]\npub(crate) const MIGRATION: &::migrate_runtime::Migration = orders::MIGRATION;\n"
        )
    }
}

/// The file that lists them, with the macro.
pub fn list_with_macros(length: usize) -> String {
    format!("migrate_runtime::migrations! {{\n{}}}\n", modules(length))
}

/// The same as the macro leaves it.
pub fn list_without_macros(length: usize) -> String {
    let constants: Vec<String> = (0..length).map(|number| format!("{}::MIGRATION", Link(number).module())).collect();
    let constants = constants.join(", ");
    format!(
        "{}/// The chain.\npub const MIGRATIONS: ::migrate_runtime::Migrations = ::migrate_runtime::Migrations::new(&[{constants}]);\n",
        modules(length)
    )
}

fn modules(length: usize) -> String {
    (0..length).flat_map(|number| ["mod ".to_owned(), Link(number).module(), ";\n".to_owned()]).collect()
}
