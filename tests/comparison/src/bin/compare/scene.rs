//! What all classes have in common: a database, a chain written for a tool, and the judgement.

use comparison::migrations::Chain;
use comparison::tools::{Project, Ran, Tool};
use migrate_tests::binaries::ServerBinaries;
use migrate_tests::{Database, Server, server};
use std::future::Future;
use std::pin::Pin;

/// What became of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// It did what the class asks for; how, where that isn't plain.
    Ok(String),
    /// It didn't; what is left.
    Fails(String),
    /// It has nothing that could be tried.
    Nothing(String),
}

/// Judges a tool.
pub type Judge = fn(Tool) -> Pin<Box<dyn Future<Output = Cell> + Send>>;

/// A way in which migrations go wrong.
pub struct Class {
    /// What goes wrong.
    pub title: &'static str,
    /// What has to be true for `ok`.
    pub criterion: &'static str,
    /// Tries it.
    pub judge: Judge,
}

/// A tool at work.
pub struct Scene {
    pub database: Database,
    pub project: Project,
    pub chain: Chain,
}

pub fn ok() -> Cell {
    Cell::Ok(String::new())
}

pub fn fails(what: impl Into<String>) -> Cell {
    Cell::Fails(what.into())
}

/// A cluster that nobody else works on.
pub fn own_server() -> Server {
    Server::start_from(&ServerBinaries::find().unwrap()).unwrap()
}

impl Scene {
    /// A database with what was there before and these rows, on the server of all.
    pub async fn new(tool: Tool, chain: Chain, rows: &str) -> Self {
        Self::on(server(), tool, chain, rows).await
    }

    /// The same on another server.
    pub async fn on(server: &Server, tool: Tool, chain: Chain, rows: &str) -> Self {
        let database = Database::create(server).await;
        database.execute(&format!("{};\n{rows}", chain.base)).await.unwrap();
        Self { database, project: tool.write(&chain), chain }
    }

    /// Runs the tool.
    pub async fn up(&self) -> Ran {
        self.project.up(self.database.url()).await
    }

    pub async fn execute(&self, sql: &str) {
        self.database.execute(sql).await.unwrap();
    }

    /// Whether a query gives `true`.
    pub async fn holds(&self, sql: &str) -> bool {
        self.database.text(&format!("select ({sql})::text")).await.unwrap() == "true"
    }

    /// Whether everything is recorded.
    pub async fn is_recorded(&self) -> bool {
        self.project.recorded(&self.database, &self.chain).await == self.chain.migrations.len()
    }

    /// `ok` if the run went through, it is true what should be, and the history says so: now, or after one more run.
    pub async fn settle(&self, first: Ran, condition: &str) -> Cell {
        self.settle_at(self.database.url(), first, condition).await
    }

    /// The same where the tool connects by another way.
    pub async fn settle_at(&self, url: &str, first: Ran, condition: &str) -> Cell {
        if first.ok && self.holds(condition).await && self.is_recorded().await {
            return ok();
        }
        let second = self.project.up(url).await;
        match (second.ok, self.holds(condition).await, self.is_recorded().await) {
            (true, true, true) => Cell::Ok("with the next run".to_owned()),
            (true, false, true) => fails("recorded as done, and isn't"),
            (true, false, false) => fails("says that all is done, and does nothing"),
            (true, true, false) => fails("done, and not recorded"),
            (false, ..) if second.hung => fails("the next run hangs"),
            (false, ..) => fails(format!("the next run, too: {}", said(&second))),
        }
    }
}

impl Cell {
    /// `ok` where the criterion has the next run in it anyway.
    pub fn without_note(self) -> Self {
        match self {
            Self::Ok(_) => ok(),
            other => other,
        }
    }
}

/// What there is to say of a run that should have failed for one of these reasons, if it didn't.
pub fn unprovoked(ran: &Ran, reasons: &[&str], passed: &str) -> Option<Cell> {
    match ran.ok {
        true => Some(fails(passed)),
        false if mentions(ran, reasons) => None,
        false => Some(fails(said(ran))),
    }
}

/// Whether it said one of these words.
pub fn mentions(ran: &Ran, words: &[&str]) -> bool {
    let output = ran.output.to_lowercase();
    words.iter().any(|word| output.contains(word))
}

/// What stands before the server's own words in the tools' messages, and behind them.
const MARKERS: [(&str, &str); 7] = [
    ("(psycopg.errors.", "\n"),
    ("message: \"", "\", "),
    ("error returned from database: ", " at line "),
    ("1: ERROR: ", "\n"),
    (" with: ", "\n"),
    ("err=DatabaseError(", "\")"),
    (" failed: ", "\n"),
];

/// What a tool said was wrong, in few words.
pub fn said(ran: &Ran) -> String {
    if ran.hung {
        return "hangs".to_owned();
    }
    let lines = || ran.output.lines().map(str::trim).filter(|line| !line.is_empty());
    let between = |line: &'_ str, (before, behind)| {
        let (_, text) = line.split_once(before)?;
        Some(text.split(behind).next().unwrap_or(text).to_owned())
    };
    let marked = MARKERS.into_iter().find_map(|marker| lines().find_map(|line| between(line, marker)));
    let plain = || lines().find(|line| line.to_lowercase().contains("error")).or_else(|| lines().next_back()).map(str::to_owned);
    let text = marked.or_else(plain).unwrap_or_else(|| "no word".to_owned()).replace("\\\"", "\"");
    // the name of an exception
    let text =
        text.split_once([')', ',']).filter(|(name, _)| name.chars().all(char::is_alphabetic)).map_or(text.as_str(), |(_, text)| text);
    let text = text.trim_start_matches([' ', '"']);
    let cut: String = text.chars().take(90).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }.replace('|', "/")
}
