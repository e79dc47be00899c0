//! Tables: with rules on a terminal, columns of plain text elsewhere.

use comfy_table::{Cell, ContentArrangement, Table, presets};
use std::io::IsTerminal as _;

/// A table with these headers. A column that is empty in every row is left out.
pub(super) fn table(headers: &[&str], rows: &[Vec<String>]) -> String {
    let used: Vec<bool> = (0..headers.len()).map(|i| rows.iter().any(|row| row.get(i).is_some_and(|cell| !cell.is_empty()))).collect();
    let terminal = std::io::stdout().is_terminal();
    let mut table = Table::new();
    if terminal {
        table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    } else {
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    }
    table.set_header(kept(headers, &used).map(|header| Cell::new(*header)));
    for row in rows {
        table.add_row(kept(row, &used).map(Cell::new));
    }
    if !terminal {
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n") + "\n"
}

fn kept<'a, T>(cells: &'a [T], used: &'a [bool]) -> impl Iterator<Item = &'a T> {
    cells.iter().zip(used).filter(|(_, used)| **used).map(|(cell, _)| cell)
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_are_aligned_and_empty_ones_left_out() {
        let rows = [vec!["a".into(), String::new(), "one".into()], vec!["bcd".into(), String::new(), "two".into()]];
        // a test's stdout may be a terminal
        let plain: String = table(&["X", "EMPTY", "Y"], &rows);
        assert!(!plain.contains("EMPTY"), "{plain}");
        assert!(plain.contains("bcd  two") || plain.contains('│'), "{plain}");
    }
}
