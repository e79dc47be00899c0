//! Every `.case` file on SQLite: either it can't be said there, or the database is what the model says.

use super::database::{Database, Failure};
use migrate_core::operation::Operate;
use migrate_core::replay;
use migrate_core::step::Action;
use migrate_tests::case::Case;
use std::path::Path;

#[tokio::test]
#[expect(clippy::print_stdout, reason = "what is refused is for people to read")]
async fn cases() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let (mut done, mut refused) = (0, Vec::new());
    for file in Case::files(&directory).unwrap() {
        println!("{}", file.display());
        let mut case = Case::read(&file).unwrap();
        // many a base has a column of this type, which is not what its case is about
        case.base = case.base.replace(" point", " text");
        if case.expected.iter().any(|(section, _)| section == "errors") {
            continue;
        }
        match run(&case).await {
            Ok(()) => done += 1,
            Err(Failure::Unsupported(unsupported)) => refused.push(format!("{}: {}", file.display(), unsupported.message)),
            // what SQLite itself doesn't understand of a statement that is run as it stands
            Err(Failure::Database(error)) if error.to_string().contains("syntax error") => {
                refused.push(format!("{}: {error}", file.display()));
            }
            Err(failure) => panic!("{}: {failure:?}", file.display()),
        }
    }
    println!("{done} done; refused:\n{}", refused.join("\n"));
    assert!(done > 0);
}

async fn run(case: &Case) -> Result<(), Failure> {
    let mut database = Database::new().await;
    database.migrate(&case.base).await?;
    database.assert_like_model().await;
    let base = database.model.clone();
    let mut steps = replay::steps(&case.migration).unwrap();
    let report = replay::replay(&mut steps, &mut base.clone(), "case");
    assert!(report.is_empty(), "{:?}", report.problems);
    database.migrate(&case.migration).await?;
    database.assert_like_model().await;
    let Ok(undos) = replay::derive_down(&steps, &base) else { return Ok(()) };
    let first = database.schema().await;
    for undo in undos.iter().flat_map(|undo| &undo.operations) {
        let mut undo = undo.clone();
        undo.bind(&database.model);
        database.perform(&undo).await?;
    }
    database.assert_like_model().await;
    for step in &steps {
        if let Action::Change(operation) = &step.action {
            database.perform(operation).await?;
        }
    }
    database.assert_like_model().await;
    assert_eq!(database.schema().await, first, "up, down, up: {}", case.title);
    Ok(())
}
