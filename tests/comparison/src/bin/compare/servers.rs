//! Servers that can't be written to, or run out of something.

use crate::scene::{Cell, Scene, fails, own_server, said, unprovoked};
use comparison::migrations::{Chain, sql};
use comparison::tools::Tool;

pub async fn standby(tool: Tool) -> Cell {
    let own = own_server();
    let scene = Scene::on(&own, tool, Chain::default().with([sql("create table items (id int primary key)")]), "").await;
    own.crash().unwrap();
    std::fs::write(own.directory().unwrap().join("data/standby.signal"), "").unwrap();
    own.start_again().unwrap();
    let ran = scene.up().await;
    if let Some(cell) = unprovoked(&ran, &["read-only", "recovery", "standby"], "says that it is done") {
        return cell;
    }
    if !scene.holds("pg_promote()").await {
        return fails("the standby doesn't take over");
    }
    scene.settle(ran, "to_regclass('items') is not null").await.without_note()
}

pub async fn full_disk(tool: Tool) -> Cell {
    let own = own_server();
    let chain = Chain::on("create table items (id int, name text)")
        .with([sql("create table made (id int)"), sql("insert into items values (1, 'a')")]);
    let scene = Scene::on(&own, tool, chain, "").await;
    scene.execute("checkpoint").await;
    // every write to this file finds the disk full
    let file = scene.database.text("select pg_relation_filepath('items')").await.unwrap();
    let file = own.directory().unwrap().join("data").join(file);
    std::fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("/dev/full", &file).unwrap();
    let ran = scene.up().await;
    if let Some(cell) = unprovoked(&ran, &["no space left"], "says that it is done") {
        return cell;
    }
    if !scene.holds("to_regclass('made') is null").await {
        return fails(format!("leaves the half of it: {}", said(&ran)));
    }
    // its new file is an honest one
    scene.execute("truncate items").await;
    scene.settle(ran, "exists (select from items)").await.without_note()
}
