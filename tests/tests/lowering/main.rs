//! What would keep a large table locked while every row is read is done in phases: the catalog is the same afterwards,
//! readers and writers go on meanwhile, and neither a crash nor a row that is in the way leaves anything behind.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod blocking;
mod columns;
mod crashes;
mod equal;
mod filling;
mod interrupted;
mod leftovers;
mod natively;
mod planned;
mod transactions;
mod violations;

use migrate_runtime::{Database as Migrator, Event, Migrations, Options};
use migrate_tests::chain::chain;
use migrate_tests::{Database, Server};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A statement that is run in phases.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) statement: &'static str,
    /// In how many.
    pub(crate) phases: usize,
    /// What puts a row in the way, and takes it away; nothing, where no row can be.
    pub(crate) violate: &'static str,
    pub(crate) heal: &'static str,
    /// What the server says then.
    pub(crate) sqlstate: &'static str,
    pub(crate) message: &'static str,
}

pub(crate) const BASE: &str = "create table people (id int primary key, email text);\n\
    create table orders (id int primary key, person_id int, email text, amount int);";

pub(crate) const KINDS: &[Kind] = &[
    Kind {
        name: "set not null",
        statement: "alter table orders alter column email set not null",
        phases: 3,
        violate: "update orders set email = null where id in (5, 7)",
        heal: "update orders set email = id || '@x' where email is null",
        sqlstate: "23502",
        message: "column \"email\" of relation \"orders\" contains null values: (id) = (5), (7)",
    },
    Kind {
        name: "check",
        statement: "alter table orders add constraint orders_amount_check check (amount > 0)",
        phases: 2,
        violate: "update orders set amount = -1 where id < 5",
        heal: "update orders set amount = 1",
        sqlstate: "23514",
        message: "check constraint \"orders_amount_check\" of relation \"orders\" is violated by some row: (id) = (1), (2), (3), …",
    },
    Kind {
        name: "unnamed check with a comment",
        statement: "alter table orders add check (email <> '' and amount < 1000);\n\
                    comment on constraint orders_check on orders is 'by hand'",
        phases: 2,
        violate: "update orders set amount = 1000 where id = 2",
        heal: "update orders set amount = 1",
        sqlstate: "23514",
        message: "check constraint \"orders_check\" of relation \"orders\" is violated by some row: (id) = (2)",
    },
    Kind {
        name: "foreign key",
        statement: "alter table orders add foreign key (person_id) references people on delete cascade deferrable",
        phases: 2,
        violate: "update orders set person_id = 1000 where id = 3",
        heal: "update orders set person_id = 1",
        sqlstate: "23503",
        message: "insert or update on table \"orders\" violates foreign key constraint \"orders_person_id_fkey\": \
                  Key (person_id)=(1000) is not present in table \"people\".",
    },
    Kind {
        name: "foreign key to itself",
        statement: "alter table orders add constraint again foreign key (amount) references orders (id)",
        phases: 2,
        violate: "update orders set amount = 1000 where id = 3",
        heal: "update orders set amount = 1",
        sqlstate: "23503",
        message: "insert or update on table \"orders\" violates foreign key constraint \"again\": \
                  Key (amount)=(1000) is not present in table \"orders\".",
    },
    Kind {
        name: "unique",
        statement: "alter table orders add unique (email) include (amount) with (fillfactor = 70) deferrable initially deferred",
        phases: 2,
        violate: "update orders set email = 'twice' where id in (5, 7)",
        heal: "update orders set email = id || '@x'",
        sqlstate: "23505",
        message: "could not create unique index \"orders_email_amount_key\": Key (email)=(twice) is duplicated.",
    },
    Kind {
        name: "primary key",
        statement: "alter table people drop constraint people_pkey;\nalter table people add primary key (email, id)",
        phases: 4,
        violate: "update people set email = null where id = 3",
        heal: "update people set email = id || '@x'",
        sqlstate: "23502",
        message: "column \"email\" of relation \"people\" contains null values",
    },
    Kind::column("volatile default", "alter table orders add column token uuid default gen_random_uuid()", 3),
    Kind::column(
        "volatile default that is never null",
        "alter table orders add column \"At\" timestamptz(3) not null default clock_timestamp();\n\
         comment on column orders.\"At\" is 'by hand'",
        6,
    ),
    Kind::column("serial", "alter table orders add column number smallserial", 6),
];

impl Kind {
    /// A column that is filled: no row is in the way.
    const fn column(name: &'static str, statement: &'static str, phases: usize) -> Self {
        Self { name, statement, phases, violate: "", heal: "", sqlstate: "", message: "" }
    }
}

/// What was told of phases: their statements.
pub(crate) type Told = Arc<Mutex<Vec<String>>>;

pub(crate) fn options(large_table: u64) -> (Options, Told) {
    let told = Told::default();
    let hears = Arc::clone(&told);
    let observer = Arc::new(move |event: &Event| {
        if let Event::Phase { sql, .. } = event {
            hears.lock().unwrap().push(sql.join("; "));
        }
    });
    (Options { large_table, reconnect_wait: Duration::from_secs(10), observer: Some(observer), ..Options::default() }, told)
}

pub(crate) fn migrator(url: &str, large_table: u64) -> (Migrator, Told) {
    let (options, told) = options(large_table);
    (Migrator::new(url).unwrap().with_options(options), told)
}

pub(crate) fn base() -> String {
    BASE.to_owned()
}

/// The base, and a migration with that statement.
pub(crate) fn chain_of(statement: &str) -> Migrations {
    chain(&format!("=== aaa111 m1\n{}\n=== bbb222 m2 after aaa111\n{statement};\n", base()))
}

/// A database where the base is applied and has rows.
pub(crate) async fn filled(server: &Server, chain: Migrations) -> Database {
    let database = Database::create(server).await;
    Migrator::new(database.url()).unwrap().up(chain, Some("m1")).await.unwrap();
    let rows = "insert into people select n, n || '@x' from generate_series(1, 100) n;
                insert into orders select n, n % 50 + 1, n || '@x', n % 50 + 1 from generate_series(1, 100) n";
    database.execute(rows).await.unwrap();
    database
}

/// The constraints, the indexes and their states, and the comments.
pub(crate) async fn state(database: &Database) -> String {
    let sql = "select concat_ws(E'\\n',
        (select string_agg(conname || ' ' || pg_get_constraintdef(oid) || ' ' || convalidated, E'\\n' order by conname)
            from pg_constraint where conrelid <> 0 and connamespace = 'public'::regnamespace),
        (select string_agg(indexrelid::regclass || ' ' || indisvalid || indisready || indimmediate, E'\\n' order by indexrelid::regclass::text)
            from pg_index where indrelid in ('people'::regclass, 'orders'::regclass)),
        (select string_agg(description, E'\\n') from pg_description where classoid = 'pg_constraint'::regclass
            and objoid in (select oid from pg_constraint where connamespace = 'public'::regnamespace)))";
    database.text(sql).await.unwrap()
}
