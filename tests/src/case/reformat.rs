//! The same SQL in another layout.

/// `sql` with other white space, with comments between its words, and in capitals where case means nothing.
pub(super) fn reformat(sql: &str) -> String {
    let mut out = String::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let length = verbatim(rest);
        if length > 0 {
            out.push_str(&rest[..length]);
            rest = &rest[length..];
        } else if first.is_whitespace() || rest.starts_with("--") {
            rest = rest.trim_start();
            if rest.starts_with("--") {
                rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
            }
            out.push_str("\r\n\t/* reformatted */ ");
        } else {
            out.push(first.to_ascii_uppercase());
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

/// The length of what may not be changed at the start of `sql`: a literal or a quoted identifier.
fn verbatim(sql: &str) -> usize {
    let end_of = |quote: char| sql[1..].find(quote).map_or(sql.len(), |end| end + 2);
    if sql.starts_with('\'') {
        return end_of('\'');
    }
    if sql.starts_with('"') {
        return end_of('"');
    }
    let Some(tag_end) = sql.strip_prefix('$').and_then(|rest| rest.find('$')) else { return 0 };
    let tag = &sql[..tag_end + 2];
    if !tag[1..=tag_end].chars().all(|c| c.is_alphanumeric() || c == '_') {
        return 0;
    }
    sql[tag.len()..].find(tag).map_or(sql.len(), |end| tag.len() + end + tag.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_literals_and_quoted_names_alone() {
        let sql = "select 'a  b' as \"C d\", $x$ e  f $x$ -- why\nfrom g";
        let plain = reformat(sql).replace("\r\n\t/* reformatted */ ", " ");
        assert_eq!(plain, "SELECT 'a  b' AS \"C d\", $x$ e  f $x$  FROM G");
    }
}
