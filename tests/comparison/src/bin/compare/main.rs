//! Lets each tool run the same migrations into the same trouble, and writes down what became of them.
#![expect(clippy::print_stderr, reason = "who waits for an hour wants to see how far it is")]
#![expect(clippy::unwrap_used, reason = "a comparison that can't go on has nothing to say")]

mod connections;
mod history;
mod locks;
mod objects;
mod scene;
mod servers;
mod transactions;

use comparison::document::write_classes;
use comparison::run_as_migrate;
use comparison::tools::Tool;
use migrate_tests::{Database, server};
use scene::{Cell, Class};
use std::fmt::Write as _;
use std::process::ExitCode;

/// The classes, each with its criterion.
const CLASSES: &[Class] = &[
    Class {
        title: "A table that only some deployments have is missing",
        criterion: "the migration goes through; when the table is there, the next run does the rest",
        judge: |tool| Box::pin(transactions::missing_table(tool)),
    },
    Class {
        title: "Savepoints overflow the server's cache",
        criterion: "100 operations, each protected by a savepoint, write in at most 64 subtransactions",
        judge: |tool| Box::pin(transactions::subtransactions(tool)),
    },
    Class {
        title: "A report holds a lock for 4 s, and everybody queues behind the migration",
        criterion: "no statement of the application waits for more than 1 s; done after at most one more run",
        judge: |tool| Box::pin(locks::queue(tool)),
    },
    Class {
        title: "A deadlock with the application",
        criterion: "the application goes on; done after at most one more run",
        judge: |tool| Box::pin(locks::deadlock(tool)),
    },
    Class {
        title: "The connection breaks before an answer, that of COMMIT too",
        criterion: "whichever answer it is: done once after at most one more run",
        judge: |tool| Box::pin(connections::lost_answer(tool)),
    },
    Class {
        title: "Eight replicas migrate at once, on an empty database",
        criterion: "all succeed, and everything is done once",
        judge: |tool| Box::pin(locks::together(tool)),
    },
    Class {
        title: "A failed run leaves its lock behind a pooler",
        criterion: "no advisory lock is left; when the data is mended, the next run goes through",
        judge: |tool| Box::pin(locks::leaked_lock(tool)),
    },
    Class {
        title: "Two migrators, one of which builds an index concurrently",
        criterion: "both succeed, and the index is valid",
        judge: |tool| Box::pin(locks::concurrently(tool)),
    },
    Class {
        title: "A concurrent build fails and leaves an INVALID index",
        criterion: "when the duplicate is gone, the next run leaves a valid one",
        judge: |tool| Box::pin(transactions::invalid_index(tool)),
    },
    Class {
        title: "A new enum value is used in its own migration",
        criterion: "done after at most one more run",
        judge: |tool| Box::pin(transactions::enum_value(tool)),
    },
    Class {
        title: "PgBouncer in transaction mode",
        criterion: "two migrations go through, and no lock is left",
        judge: |tool| Box::pin(locks::pooler(tool)),
    },
    Class {
        title: "The database has timeouts for the application",
        criterion: "a migration that takes longer goes through",
        judge: |tool| Box::pin(connections::timeouts(tool)),
    },
    Class {
        title: "A failure behind something that can't be in a transaction",
        criterion: "when the data is mended, the next run goes on behind what was done",
        judge: |tool| Box::pin(transactions::partial_failure(tool)),
    },
    Class {
        title: "Rows with deferred checks, then DDL on their table",
        criterion: "done after at most one more run",
        judge: |tool| Box::pin(transactions::pending_checks(tool)),
    },
    Class {
        title: "A branch is merged after a later migration was applied",
        criterion: "what it has is applied, and recorded",
        judge: |tool| Box::pin(history::late_branch(tool)),
    },
    Class {
        title: "An applied file gets other line endings and a comment, or really changes",
        criterion: "the first is no change, the second is refused",
        judge: |tool| Box::pin(history::layout(tool)),
    },
    Class {
        title: "The database's search path has another table of the name before `public`",
        criterion: "the table in `public` is altered, and not the other one",
        judge: |tool| Box::pin(connections::search_path(tool)),
    },
    Class {
        title: "The role may not look into the schema of an optional table",
        criterion: "it stops for want of privileges, and records nothing",
        judge: |tool| Box::pin(objects::privileges(tool)),
    },
    Class {
        title: "Two names that are the same in their first 63 bytes",
        criterion: "both objects are there, or nothing is done",
        judge: |tool| Box::pin(objects::long_names(tool)),
    },
    Class {
        title: "Another object has the name, and the migration says `if not exists`",
        criterion: "it isn't recorded as done",
        judge: |tool| Box::pin(objects::wrong_object(tool)),
    },
    Class {
        title: "An update of a large table after a lock on another was taken, for more than 1 s",
        criterion: "no statement of the application waits for more than 1 s",
        judge: |tool| Box::pin(locks::update_under_lock(tool)),
    },
    Class {
        title: "Slow work that nobody can see from outside, in a function, after a lock was taken",
        criterion: "no statement of the application waits for more than 1 s",
        judge: |tool| Box::pin(locks::held_to_the_end(tool)),
    },
    Class {
        title: "A new check reads all of a large table, for more than 1 s",
        criterion: "no statement of the application waits for more than 1 s",
        judge: |tool| Box::pin(locks::scan_under_lock(tool)),
    },
    Class {
        title: "The server is a standby",
        criterion: "it stops; when the standby has taken over, the next run goes through",
        judge: |tool| Box::pin(servers::standby(tool)),
    },
    Class {
        title: "The disk is full",
        criterion: "nothing is left of the migration; when there is room, the next run goes through",
        judge: |tool| Box::pin(servers::full_disk(tool)),
    },
    Class {
        title: "An event trigger needs the database's search path",
        criterion: "done after at most one more run, and the trigger has seen it",
        judge: |tool| Box::pin(connections::event_trigger(tool)),
    },
    Class {
        title: "The way back of a migration that found its table there",
        criterion: "the table that was there before, and its rows, stay",
        judge: |tool| Box::pin(history::way_back(tool)),
    },
];

fn print(cell: &Cell) -> String {
    match cell {
        Cell::Ok(note) if note.is_empty() => "ok".to_owned(),
        Cell::Ok(note) => format!("ok: {note}"),
        Cell::Fails(what) => format!("**fails**: {what}"),
        Cell::Nothing(what) => format!("– {what}"),
    }
}

async fn header(tools: &[Tool]) -> String {
    let database = Database::create(server()).await;
    let postgres = database.text("select current_setting('server_version')").await.unwrap();
    let day = database.text("select current_date::text").await.unwrap();
    let mut versions = Vec::new();
    for tool in tools {
        versions.push(format!("{tool} {}", tool.version().await));
    }
    let missing: Vec<String> =
        Tool::ALL.iter().filter(|tool| !tools.contains(tool)).map(|tool| format!("{tool} was not installed")).collect();
    let notes = [versions, missing].concat().join(", ");
    format!(
        "# Side by side\n\nWhat becomes of the same migrations when something goes wrong: each cell is a run, made by \
         [tests/comparison](tests/comparison/README.md) on {day} with PostgreSQL {postgres} and {notes}. A tool is `ok` where it meets the \
         criterion by itself, in the settings that it comes with; where it says *with the next run*, it had to be started once more, and \
         nobody had to repair anything. Where it says *–*, it has nothing that could be tried, and that isn't counted. Statements that \
         can't be in a transaction have a migration of their own with all tools but migrate, which cuts there itself, and Alembic has \
         `transaction_per_migration` with them, which its manual recommends. The command lines are compared, and a runner for \
         sea-orm-migration, which has none without a project; sqlx as a library takes a lock, which its command line doesn't.\n\n"
    )
}

async fn compare(only: Option<String>) {
    let tools = Tool::installed();
    let mut text = header(&tools).await;
    write!(text, "| What goes wrong | Criterion |").unwrap();
    for tool in &tools {
        write!(text, " {tool} |").unwrap();
    }
    write!(text, "\n|---|---|{}\n", "---|".repeat(tools.len())).unwrap();
    // met, and tried
    let mut scores = vec![(0, 0); tools.len()];
    for class in CLASSES.iter().filter(|class| only.as_ref().is_none_or(|only| class.title.contains(only.as_str()))) {
        write!(text, "| {} | {} |", class.title, class.criterion).unwrap();
        for (tool, (met, tried)) in tools.iter().zip(&mut scores) {
            let cell = (class.judge)(*tool).await;
            *met += usize::from(matches!(cell, Cell::Ok(_)));
            *tried += usize::from(!matches!(cell, Cell::Nothing(_)));
            let cell = print(&cell);
            eprintln!("{}: {tool}: {cell}", class.title);
            write!(text, " {cell} |").unwrap();
        }
        text.push('\n');
    }
    write!(text, "| **ok** | of what could be tried |").unwrap();
    for (met, tried) in scores {
        write!(text, " {met} of {tried} |").unwrap();
    }
    text.push('\n');
    if only.is_none() {
        write_classes(&text);
    }
}

fn main() -> ExitCode {
    if let Some(code) = run_as_migrate() {
        return code;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(compare(std::env::args().nth(1)));
    ExitCode::SUCCESS
}
