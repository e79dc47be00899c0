//! Objects that aren't what their names say.

use crate::scene::{Cell, Scene, fails, ok, said, unprovoked};
use comparison::migrations::{Chain, if_table, sql};
use comparison::tools::Tool;
use migrate_tests::Database;

pub async fn privileges(tool: Tool) -> Cell {
    let declared = "create schema billing;\ncreate table billing.invoices (id int primary key)";
    let chain = Chain::default().with([
        sql("create table items (id int primary key)"),
        if_table("billing.invoices", declared, "alter table billing.invoices add column note text"),
    ]);
    let scene = Scene::new(tool, chain, &format!("{declared};")).await;
    let name = scene.database.name();
    let role = format!("{name}_plain");
    scene
        .execute(&format!(
            "create role {role} login; grant create on database {name} to {role}; grant create, usage on schema public to {role}"
        ))
        .await;
    let ran = scene.project.up(&scene.database.url_as(&role)).await;
    let recorded = scene.is_recorded().await;
    let cell = match (ran.ok, recorded) {
        (false, false) if ran.output.contains("permission denied") => ok(),
        (false, false) => fails(said(&ran)),
        _ => fails("takes what it may not see for absent, and records it as done"),
    };
    forget(&scene.database, &role).await;
    cell
}

async fn forget(database: &Database, role: &str) {
    database.execute(&format!("drop owned by {role} cascade; drop role {role}")).await.unwrap();
}

pub async fn long_names(tool: Tool) -> Cell {
    let stem = "items_with_a_name_that_is_much_longer_than_what_postgresql_keeps";
    let one = format!("create index if not exists {stem}_by_name on items (name)");
    let other = format!("create index if not exists {stem}_by_note on items (note)");
    let chain = Chain::on("create table items (id int primary key, name text, note text)").with([sql(&one), sql(&other)]);
    let scene = Scene::new(tool, chain, "").await;
    let ran = scene.up().await;
    let count = scene.database.text("select count(*)::text from pg_indexes where tablename = 'items'").await.unwrap();
    match (ran.ok, count.as_str()) {
        (true, "3") => ok(),
        (false, "1") if ran.output.contains("63") => Cell::Ok("refused when it is compiled".to_owned()),
        (true, _) => fails("makes one of the two, and records both"),
        (false, _) => fails(said(&ran)),
    }
}

pub async fn wrong_object(tool: Tool) -> Cell {
    let chain = Chain::default().with([sql("create table if not exists items (id int primary key, name text not null)")]);
    let scene = Scene::new(tool, chain, "create table items (id text, title varchar(10))").await;
    let ran = scene.up().await;
    if let Some(cell) = unprovoked(&ran, &["already exists", "expected"], "recorded as done, and the table is another") {
        return cell;
    }
    if scene.is_recorded().await { fails("stops, and records it as done") } else { ok() }
}
