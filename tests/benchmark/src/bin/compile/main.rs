//! What the macros add to `cargo check`: a generated chain against the same modules without macros, in alternation.
//!
//! `compile [--unoptimized] [LENGTH…]` measures chains of these lengths; without any, of 250, 500 and 1,000 migrations.
//! The promises are for macros that are compiled as the README says, with `opt-level = 1`.
#![expect(clippy::print_stdout, reason = "a report is what it is for")]
#![expect(clippy::unwrap_used, reason = "a benchmark that can't go on has nothing to report")]

mod chain;
mod package;

use package::{Cost, Package, Workspace};
use std::path::PathBuf;
use std::time::Duration;

const LENGTHS: [usize; 3] = [250, 500, 1_000];
const ROUNDS: usize = 5;

/// The promises: milliseconds a migration, growth from the shortest to the longest for each time as long, megabytes.
const MILLISECONDS: f64 = 5.0;
const GROWTH: f64 = 4.5 / 4.0;
const MEGABYTES: f64 = 500.0;

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

#[expect(clippy::cast_precision_loss, reason = "nothing here has 16 digits")]
fn number(value: impl TryInto<u64>) -> f64 {
    value.try_into().unwrap_or_default() as f64
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The costs of both packages, a pair a round.
struct Rounds(Vec<(Cost, Cost)>);

impl Rounds {
    fn of(mut measure: impl FnMut(Package) -> Cost) -> Self {
        // the first round warms the machine up
        Self((0..=ROUNDS).map(|_| (measure(Package::Chain), measure(Package::Plain))).skip(1).collect())
    }

    fn chain(&self, of: impl Fn(Cost) -> f64) -> f64 {
        median(self.0.iter().map(|(chain, _)| of(*chain)))
    }

    fn plain(&self, of: impl Fn(Cost) -> f64) -> f64 {
        median(self.0.iter().map(|(_, plain)| of(*plain)))
    }

    /// What the macros add, in milliseconds.
    fn added(&self, of: impl Fn(Cost) -> Duration) -> f64 {
        median(self.0.iter().map(|(chain, plain)| milliseconds(of(*chain)) - milliseconds(of(*plain))))
    }
}

fn verdict(is_kept: bool) -> &'static str {
    if is_kept { "kept" } else { "MISSED" }
}

/// Measures one length, and gives the milliseconds that the macros add on the wall and on the processors.
fn measure(workspace: &mut Workspace, length: usize) -> (f64, f64) {
    workspace.fill(length);
    let anew = Rounds::of(|package| workspace.check_anew(package));
    println!("{length} migrations of {} operations, median of {ROUNDS} rounds in alternation", chain::OPERATIONS);
    println!("                         chain     without     added  a migration");
    for (what, of) in [("wall", (|cost| cost.wall) as fn(Cost) -> Duration), ("processor", |cost| cost.processor)] {
        let (chain, plain) = (anew.chain(|cost| milliseconds(of(cost))), anew.plain(|cost| milliseconds(of(cost))));
        let added = anew.added(of);
        println!("  {what:<9}       ms {chain:9.0}   {plain:9.0} {added:9.0}  {:11.2}", added / number(length));
    }
    let megabytes = |cost: Cost| number(cost.memory) / 1e6;
    let memory = anew.chain(megabytes);
    println!("  memory          MB {memory:9.0}   {:9.0}", anew.plain(megabytes));
    let migration = format!("migrations/{}.rs", chain::Link(length / 2).module());
    let touched = Rounds::of(|package| workspace.check_after_edit(package, &migration));
    let other = Rounds::of(|package| workspace.check_after_edit(package, "other.rs"));
    let wall = |cost: Cost| milliseconds(cost.wall);
    println!("  one edited      ms {:9.0}   {:9.0}", touched.chain(wall), touched.plain(wall));
    println!("  another file    ms {:9.0}   {:9.0}", other.chain(wall), other.plain(wall));
    let ratio = touched.chain(wall) / other.chain(wall);
    println!("  one edited / another file: {ratio:.2} (as much as any other: {})", verdict(ratio < 1.1));
    println!("  memory under {MEGABYTES:.0} MB: {}", verdict(memory < MEGABYTES));
    (anew.added(|cost| cost.wall), anew.added(|cost| cost.processor))
}

fn expansion(workspace: &Workspace, length: usize) {
    let size = |package| {
        let text = workspace.expanded(package);
        (number(text.lines().count()), number(text.len()))
    };
    let ((lines, bytes), (plain_lines, plain_bytes)) = (size(Package::Chain), size(Package::Plain));
    let operations = number(length * chain::OPERATIONS);
    println!("expanded code");
    println!("                         chain     without");
    println!("  lines an operation {:9.2}   {:9.2}", lines / operations, plain_lines / operations);
    println!("  bytes an operation {:9.0}   {:9.0}", bytes / operations, plain_bytes / operations);
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some((compiler, rest)) = arguments.split_first().filter(|_| std::env::var_os("RUSTC_WORKSPACE_WRAPPER").is_some()) {
        package::wrap(compiler, rest);
    }
    let (options, lengths): (Vec<String>, Vec<String>) = arguments.into_iter().partition(|argument| argument == "--unoptimized");
    let lengths: Vec<usize> = lengths.iter().map(|length| length.parse().unwrap()).collect();
    let lengths = if lengths.is_empty() { LENGTHS.to_vec() } else { lengths };
    // as far from the target folder of the workspace as its own programs are
    let target = std::env::current_exe().unwrap().ancestors().nth(2).map(PathBuf::from).unwrap();
    let mut workspace = Workspace::create(target.join("compile"), options.is_empty());
    let added: Vec<(f64, f64)> = lengths.iter().map(|length| measure(&mut workspace, *length)).collect();
    let (first, last) = (lengths[0], lengths[lengths.len() - 1]);
    expansion(&workspace, last);
    let ((first_wall, first_processor), (wall, processor)) = (added[0], added[added.len() - 1]);
    println!("promises");
    let each = wall / number(last);
    println!("  {each:.2} ms a migration, at most {MILLISECONDS}: {}", verdict(each <= MILLISECONDS));
    if last > first {
        let (growth, most) = (wall / first_wall, GROWTH * number(last) / number(first));
        let processor = processor / first_processor;
        println!(
            "  {growth:.2} times as much for {last} as for {first} ({processor:.2} on the processors), at most {most:.1}: {}",
            verdict(growth <= most)
        );
    }
}
