//! `COMPARISON.md`, of which each program writes its part.

use std::fs;
use std::path::Path;

/// The second part begins so.
const LATENCY: &str = "\n## What an application sees meanwhile\n";

fn change(change: impl FnOnce(&str, &str) -> String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../COMPARISON.md");
    // the first time there is none
    let text = fs::read_to_string(&path).unwrap_or_default();
    let (classes, latency) = text.split_at(text.find(LATENCY).unwrap_or(text.len()));
    fs::write(path, change(classes, latency)).unwrap();
}

/// Writes what became of the migrations.
pub fn write_classes(text: &str) {
    change(|_, latency| format!("{text}{latency}"));
}

/// Writes what an application saw.
pub fn write_latency(text: &str) {
    change(|classes, _| format!("{classes}{LATENCY}\n{text}"));
}
