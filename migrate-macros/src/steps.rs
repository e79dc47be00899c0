//! Statements → the steps of core, each with the way back from its problems to the tokens.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use migrate_core::lower;
use migrate_core::name::{At, QualifiedName};
use migrate_core::operation::Operation;
use migrate_core::ops::{Backfill, Opaque};
use migrate_core::report;
use migrate_core::schema::{Origin, Presence, Schema};
use migrate_core::step::{self, Action, Step};

use crate::module::Migration;
use crate::parsed;
use crate::report::{Place, Problem};
use crate::siblings;
use crate::sql::SqlText;
use crate::statement::{Allow, Block, Dialect, FunctionPath, Over, Statement, StatementKind};

/// A step, and where its operation's positions lead.
#[derive(Clone, Debug)]
pub struct LocatedStep {
    pub step: Step,
    /// What is acknowledged of it, and around it.
    pub allows: Vec<Arc<Allow>>,
    /// Where `#[as_written]` stands before it, or before the block that it stands in.
    pub as_written: Option<Place>,
    source: Source,
}

/// What the positions of an operation count in.
#[derive(Clone, Debug)]
enum Source {
    /// The text of a statement in tokens.
    Tokens(Arc<SqlText>),
    /// A file: everything in it stands where the `include` names it.
    File { place: Place, path: String, text: Arc<str> },
    /// One place, whatever the position.
    Fixed(Place),
}

impl LocatedStep {
    /// The tokens that `at` of the step's operation was made from.
    pub fn place(&self, at: (u32, u32)) -> Place {
        match &self.source {
            Source::Tokens(text) => text.place(At { start: at.0, end: at.1 }.range()),
            Source::File { place, .. } | Source::Fixed(place) => *place,
        }
    }

    /// Whether it stands in a file that `pg_dump` wrote: that says what is there, and nobody can say it otherwise.
    pub fn is_dumped(&self) -> bool {
        matches!(&self.source, Source::File { text, .. } if text.lines().take(5).any(|line| line == "-- PostgreSQL database dump"))
    }

    /// The first line of the statement, which says what it does.
    pub fn head(&self) -> Place {
        match &self.source {
            Source::Tokens(text) => text.place(0..text.text.find('\n').unwrap_or(text.text.len())),
            Source::File { place, .. } | Source::Fixed(place) => *place,
        }
    }

    /// A message about `at`, with the file's name and line in front if it isn't this file.
    pub fn message(&self, at: (u32, u32), message: &str) -> String {
        match &self.source {
            Source::File { path, text, .. } if at.1 > 0 => format!("{path}:{}: {message}", line_of_byte(text, at.0 as usize)),
            Source::File { path, .. } => format!("{path}:{}: {message}", self.step.line),
            Source::Tokens(_) | Source::Fixed(_) => message.to_owned(),
        }
    }
}

/// Everything that is read from a migration's blocks.
#[derive(Clone, Debug, Default)]
pub struct Steps {
    /// `external!`, `optional!` and `up!`, in this order.
    pub up: Vec<LocatedStep>,
    /// `down!`.
    pub down: Option<Vec<LocatedStep>>,
    /// What the grammar doesn't accept, and files that can't be read.
    pub problems: Vec<Problem>,
    /// The paths that `include` names, as written.
    pub includes: Vec<String>,
}

/// Reads the blocks of a migration that stands in `file`; `line` gives the line of a place.
pub fn read(migration: &Migration, file: Option<&Path>, line: &dyn Fn(Place) -> u32) -> Steps {
    let mut reader = Reader { file, line, steps: Steps::default() };
    let mut up = reader.block(&migration.external, Block::External);
    up.extend(reader.block(&migration.optional, Block::Optional));
    up.extend(reader.block(&migration.up, Block::Up));
    let down = migration.down.as_ref().map(|down| reader.block(down, Block::Down));
    Steps { up, down, ..reader.steps }
}

/// Puts the declarations where they can be understood: before the statements of `up!`, which may work on what they
/// declare, or behind them where they refer to what `up!` creates.
pub fn settle(steps: Vec<LocatedStep>, schema: &Schema) -> Vec<LocatedStep> {
    let (declared, rest): (Vec<_>, Vec<_>) = steps.into_iter().partition(|located| matches!(located.step.action, Action::Declare { .. }));
    if declared.is_empty() {
        return rest;
    }
    let mut schema = schema.clone();
    let (mut before, mut behind) = (Vec::new(), Vec::new());
    for located in declared {
        let mut report = report::Report::default();
        let mut after = located.step.clone();
        after.check_only(&schema, &mut report);
        if report.is_empty() {
            after.replay(&mut schema, &Origin::default(), &mut report);
            before.push(located);
        } else {
            behind.push(located);
        }
    }
    before.into_iter().chain(rest).chain(behind).collect()
}

struct Reader<'a> {
    file: Option<&'a Path>,
    line: &'a dyn Fn(Place) -> u32,
    steps: Steps,
}

/// What holds for all statements of a nested block.
#[derive(Clone, Default)]
struct Context {
    presence: Option<Presence>,
    when: Option<QualifiedName>,
    dialect: Option<step::Dialect>,
    allows: Vec<Arc<Allow>>,
    as_written: Option<Place>,
}

impl Context {
    /// What holds for a statement in it, of `step`.
    fn of(&self, step: Step) -> Step {
        Step { when: self.when.clone(), dialect: self.dialect, as_written: self.as_written.is_some(), ..step }
    }

    fn located(&self, step: Step, source: Source) -> LocatedStep {
        LocatedStep { step: self.of(step), allows: self.allows.clone(), as_written: self.as_written, source }
    }
}

impl Reader<'_> {
    fn block(&mut self, statements: &[Statement], block: Block) -> Vec<LocatedStep> {
        let presence = match block {
            Block::Optional => Some(Presence::Optional),
            Block::External => Some(Presence::External),
            Block::Up | Block::Down => None,
        };
        self.statements(statements, &Context { presence, ..Context::default() })
    }

    fn statements(&mut self, statements: &[Statement], context: &Context) -> Vec<LocatedStep> {
        statements.iter().flat_map(|statement| self.statement(statement, context)).collect()
    }

    fn statement(&mut self, statement: &Statement, context: &Context) -> Vec<LocatedStep> {
        let line = (self.line)(statement.place);
        let inside = Context {
            allows: context.allows.iter().cloned().chain(statement.allows.iter().cloned().map(Arc::new)).collect(),
            as_written: statement.as_written.or(context.as_written),
            ..context.clone()
        };
        let context = &inside;
        let fixed = |action| vec![context.located(Step::new(action, line), Source::Fixed(statement.place))];
        match &statement.kind {
            StatementKind::Sql(text) if context.dialect == Some(step::Dialect::Sqlite) && is_backfill(text) => {
                match lower::sqlite_backfill(&text.text) {
                    Ok(backfill) => fixed(Action::Change(backfill.into())),
                    Err(problem) => {
                        self.syntax(vec![problem], text);
                        Vec::new()
                    }
                }
            }
            StatementKind::Sql(text) if context.dialect == Some(step::Dialect::Sqlite) => {
                fixed(Action::Change(Opaque::sqlite(text.text.clone()).into()))
            }
            StatementKind::Sql(text) => self.sql(text, line, context),
            StatementKind::Include { path } => self.include(&path.value, path.place, context),
            StatementKind::Run { function, over: None } => fixed(Action::Run { function: path_text(function) }),
            StatementKind::Run { function, over: Some(over) } => self.run_over(function, over, line, context),
            StatementKind::Assert { message, query } => {
                self.check_query(query);
                fixed(Action::Assert { message: message.value.clone(), query: query.text.clone() })
            }
            StatementKind::IfExists { table, body } => {
                let when = self.table_name(table);
                self.statements(body, &Context { when, ..context.clone() })
            }
            StatementKind::Dialect { dialect, body } => {
                let dialect = Some(match dialect {
                    Dialect::Postgres => step::Dialect::Postgres,
                    Dialect::Sqlite => step::Dialect::Sqlite,
                });
                self.statements(body, &Context { dialect, ..context.clone() })
            }
        }
    }

    fn sql(&mut self, text: &SqlText, line: u32, context: &Context) -> Vec<LocatedStep> {
        match parsed::statements(&text.text) {
            Ok(statements) => {
                let source = Source::Tokens(Arc::new(text.clone()));
                let steps = statements.into_iter().flat_map(|statement| located(statement, line, None, &source, context));
                steps.collect()
            }
            Err(problems) => {
                self.syntax(problems, text);
                Vec::new()
            }
        }
    }

    fn run_over(&mut self, function: &FunctionPath, over: &Over, line: u32, context: &Context) -> Vec<LocatedStep> {
        let text = &over.statement;
        let name = text.text.get(over.table_at..).unwrap_or_default();
        let Some(mut table) = lower::table_name(name) else {
            self.problem(text.place(over.table_at..text.text.len()), "expected the name of a table".to_owned(), None);
            return Vec::new();
        };
        for part in [&mut table.schema, &mut table.name] {
            let At { start, end } = At::new(over.table_at..over.table_at);
            part.at = At { start: part.at.start + start, end: part.at.end + end };
        }
        let operation = Backfill::run(path_text(function), table, over.size).into();
        vec![context.located(Step::new(Action::Change(operation), line), Source::Tokens(Arc::new(text.clone())))]
    }

    fn syntax(&mut self, problems: Vec<lower::SyntaxProblem>, text: &SqlText) {
        for problem in problems {
            let help = problem.help(|name| format!("@\"{}\"", name.escape_debug()));
            self.problem(text.place(problem.at.range()), problem.message, help);
        }
    }

    fn check_query(&mut self, query: &SqlText) {
        if let Err(problems) = lower::parse(&query.text) {
            self.syntax(problems, query);
        }
    }

    fn table_name(&mut self, table: &SqlText) -> Option<QualifiedName> {
        let parsed = lower::parse(&format!("drop table {}", table.text)).ok();
        let operation = parsed.and_then(|statements| statements.into_iter().next()?.operations.into_iter().next());
        if let Some(Operation::DropTable(drop)) = operation {
            return Some(drop.name);
        }
        self.problem(table.place(0..table.text.len()), "expected the name of a table".to_owned(), None);
        None
    }

    fn include(&mut self, path: &str, place: Place, context: &Context) -> Vec<LocatedStep> {
        let Some(file) = self.file else { return Vec::new() };
        self.steps.includes.push(path.to_owned());
        let include = match siblings::include(file, path) {
            Ok(include) => include,
            Err(error) => {
                let help = "write the path of an SQL file, relative to this file".to_owned();
                self.problem(place, error.to_string(), Some(help));
                return Vec::new();
            }
        };
        let shown = plain(&include.path);
        match lower::parse_file(&include.text) {
            Ok(statements) => {
                let source = Source::File { place, path: path.to_owned(), text: include.text.as_str().into() };
                let steps = statements.into_iter().flat_map(|statement| {
                    let line = line_of_byte(&include.text, statement.at.range().start);
                    located(statement, line, Some(&shown), &source, context)
                });
                steps.collect()
            }
            Err(problems) => {
                for problem in problems.into_iter().take(5) {
                    let line = line_of_byte(&include.text, problem.at.range().start);
                    let help = problem.help(|name| format!("\"{}\"", name.replace('"', "\"\"")));
                    self.problem(place, format!("{path}:{line}: {}", problem.message), help);
                }
                Vec::new()
            }
        }
    }

    fn problem(&mut self, place: Place, message: String, help: Option<String>) {
        self.steps.problems.push(Problem { place, message, help });
    }
}

fn located(statement: lower::Statement, line: u32, file: Option<&str>, source: &Source, context: &Context) -> Vec<LocatedStep> {
    let (if_exists, goes_over) = (statement.if_exists, statement.goes_over);
    let locate = |operation| {
        let action = match context.presence {
            Some(presence) => Action::Declare { presence, operation },
            None => Action::Change(operation),
        };
        context.located(
            Step { if_exists, goes_over: goes_over.clone(), file: file.map(str::to_owned), ..Step::new(action, line) },
            source.clone(),
        )
    };
    statement.operations.into_iter().map(locate).collect()
}

/// A path without the detours that a relative `include` takes.
fn plain(path: &Path) -> String {
    let mut parts: Vec<Component<'_>> = Vec::new();
    for part in path.components() {
        match (part, parts.last()) {
            (Component::ParentDir, Some(Component::Normal(_))) => {
                parts.pop();
            }
            (part, _) => parts.push(part),
        }
    }
    parts.into_iter().collect::<PathBuf>().display().to_string()
}

fn line_of_byte(text: &str, byte: usize) -> u32 {
    let lines = text.bytes().take(byte).filter(|byte| *byte == b'\n').count() + 1;
    u32::try_from(lines).unwrap_or(u32::MAX)
}

/// What isn't SQL of it is the same on every database.
fn is_backfill(text: &SqlText) -> bool {
    text.text.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("backfill"))
}

/// A path as it was written.
pub fn path_text(path: &FunctionPath) -> String {
    let segments: Vec<&str> = path.segments.iter().map(|segment| segment.value.as_str()).collect();
    format!("{}{}", if path.global { "::" } else { "" }, segments.join("::"))
}
