//! The graph of revisions as text, the newest first, in the way of `git log --graph`.
//!
//! Every open edge has a lane. A merge opens lanes to the right of it; where lanes wait for the same revision they are
//! joined on a row of their own before it.

use super::text::state;
use crate::RevisionStatus;

/// The sides of a cell that have a line, as bits.
const UP: u8 = 1;
const DOWN: u8 = 2;
const LEFT: u8 = 4;
const RIGHT: u8 = 8;

/// Draws it. `connected`: the states are those of a database, and not unknown.
pub(super) fn draw(revisions: &[RevisionStatus], connected: bool) -> String {
    let mut rows: Vec<(String, Option<&RevisionStatus>)> = Vec::new();
    let mut lanes: Vec<Option<&str>> = Vec::new();
    for revision in revisions.iter().rev() {
        let mut waiting: Vec<usize> = (0..lanes.len()).filter(|&lane| lanes[lane] == Some(revision.revision.as_str())).collect();
        if waiting.len() > 1 {
            rows.push((link(&lanes, waiting[0], &waiting[1..], UP), None));
            for &lane in &waiting[1..] {
                lanes[lane] = None;
            }
        }
        let is_head = waiting.is_empty();
        if is_head {
            waiting.push(free_lane(&mut lanes, 0));
        }
        let own = waiting[0];
        let mut parents = revision.parents.iter();
        lanes[own] = parents.next().map(String::as_str);
        let mut opened = Vec::new();
        for parent in parents {
            let lane = free_lane(&mut lanes, own + 1);
            // taken at once, so that the next parent gets another one
            lanes[lane] = Some(parent);
            opened.push(lane);
        }
        let drawing = link(&lanes, own, &opened, DOWN);
        let node = if connected && revision.state.is_none() { "○" } else { "●" };
        rows.push((with_node(&drawing, own, node), Some(revision)));
        while lanes.last() == Some(&None) {
            lanes.pop();
        }
    }
    let width = rows.iter().map(|(drawing, _)| drawing.chars().count()).max().unwrap_or(0);
    let name = revisions.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    let id = revisions.iter().map(|row| row.revision.chars().count()).max().unwrap_or(0);
    let line = |(drawing, revision): &(String, Option<&RevisionStatus>)| {
        let Some(row) = revision else { return format!("{}\n", drawing.trim_end()) };
        let state = if connected { format!("  {:<11}", state(row.state)) } else { String::new() };
        let text = format!("{drawing:<width$}  {:<id$}  {:<name$}{state}  {}", row.revision, row.name, row.summary);
        format!("{}\n", text.trim_end())
    };
    rows.iter().map(line).collect()
}

fn free_lane(lanes: &mut Vec<Option<&str>>, from: usize) -> usize {
    if let Some(lane) = (from..lanes.len()).find(|&lane| lanes[lane].is_none()) {
        return lane;
    }
    let lane = lanes.len().max(from);
    lanes.resize(lane + 1, None);
    lane
}

/// A row of lanes with a line from `own` to each of `others`, which are to the right of it and go `towards` up or down.
fn link(lanes: &[Option<&str>], own: usize, others: &[usize], towards: u8) -> String {
    let last = others.iter().copied().max().unwrap_or(own);
    let mut row = String::new();
    for (lane, waits) in lanes.iter().enumerate() {
        let mut sides = if waits.is_some() { UP | DOWN } else { 0 };
        if lane == own && !others.is_empty() {
            sides |= RIGHT;
        }
        if lane > own && lane <= last {
            sides |= LEFT | if lane < last { RIGHT } else { 0 };
        }
        if others.contains(&lane) {
            sides = (sides & (LEFT | RIGHT)) | towards;
        }
        row.push(line(sides));
        row.push(if lane >= own && lane < last { '─' } else { ' ' });
    }
    row.trim_end().to_owned()
}

fn with_node(drawing: &str, lane: usize, node: &str) -> String {
    let before: String = drawing.chars().chain(std::iter::repeat(' ')).take(lane * 2).collect();
    let after: String = drawing.chars().skip(lane * 2 + 1).collect();
    format!("{before}{node}{after}")
}

fn line(sides: u8) -> char {
    const UP_DOWN: u8 = UP | DOWN;
    const LEFT_RIGHT: u8 = LEFT | RIGHT;
    match (sides & UP_DOWN, sides & LEFT_RIGHT) {
        (0, 0) => ' ',
        (0, _) => '─',
        (_, 0) => '│',
        (UP_DOWN, LEFT) => '┤',
        (UP_DOWN, RIGHT) => '├',
        (UP_DOWN, _) => '┼',
        (UP, LEFT) => '╯',
        (UP, RIGHT) => '╰',
        (UP, _) => '┴',
        (_, LEFT) => '╮',
        (_, RIGHT) => '╭',
        (_, _) => '┬',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(&str, &[&str])]) -> String {
        let row = |(revision, parents): &(&str, &[&str])| RevisionStatus {
            revision: (*revision).to_owned(),
            parents: parents.iter().map(|parent| (*parent).to_owned()).collect(),
            name: format!("m_{revision}"),
            summary: String::new(),
            state: None,
            recorded_at: None,
            skipped: 0,
        };
        draw(&edges.iter().map(row).collect::<Vec<_>>(), false)
    }

    #[test]
    fn a_line_is_a_line() {
        assert_eq!(graph(&[("a", &[]), ("b", &["a"])]), "●  b  m_b\n●  a  m_a\n");
    }

    #[test]
    fn a_merge_opens_a_lane_and_a_fork_closes_it() {
        let drawn = graph(&[("a", &[]), ("b", &["a"]), ("c", &["a"]), ("d", &["b", "c"]), ("e", &["d"])]);
        assert_eq!(
            drawn,
            "●    e  m_e\n\
             ●─╮  d  m_d\n\
             │ ●  c  m_c\n\
             ● │  b  m_b\n\
             ├─╯\n\
             ●    a  m_a\n"
        );
    }

    #[test]
    fn lines_cross() {
        let edges: [(&str, &[&str]); 7] =
            [("a", &[]), ("b", &["a"]), ("c", &["a"]), ("d", &["a"]), ("e", &["b", "d"]), ("f", &["e", "c"]), ("g", &["f"])];
        let drawn = graph(&edges);
        assert_eq!(
            drawn,
            "●      g  m_g\n\
             ●─╮    f  m_f\n\
             ●─┼─╮  e  m_e\n\
             │ │ ●  d  m_d\n\
             │ ● │  c  m_c\n\
             ● │ │  b  m_b\n\
             ├─┴─╯\n\
             ●      a  m_a\n"
        );
    }

    #[test]
    fn several_parents_and_several_roots() {
        let drawn = graph(&[("a", &[]), ("b", &[]), ("c", &[]), ("d", &["a", "b", "c"])]);
        assert_eq!(drawn, "●─┬─╮  d  m_d\n│ │ ●  c  m_c\n│ ●    b  m_b\n●      a  m_a\n");
    }

    #[test]
    fn several_heads_have_a_lane_each() {
        assert_eq!(graph(&[("a", &[]), ("b", &["a"]), ("c", &["a"])]), "●    c  m_c\n│ ●  b  m_b\n├─╯\n●    a  m_a\n");
    }
}
