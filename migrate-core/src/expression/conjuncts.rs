//! A condition as the conditions that it is made of.

use super::{Expression, inside_parentheses, tokens};

impl Expression {
    /// The conditions that all hold where it holds: what `and` joins on the outside. Where that can't be told from the
    /// words alone, it is one.
    #[must_use]
    pub fn conjuncts(&self) -> Vec<Self> {
        let mut sql = self.sql.trim();
        while let Some(inside) = inside_parentheses(sql) {
            sql = inside;
        }
        let mut parts = Vec::new();
        let (mut start, mut depth) = (0, 0_u32);
        for (token, at) in tokens(sql) {
            if token.is("(") || token.is("[") {
                depth += 1;
            } else if token.is(")") || token.is("]") {
                depth = depth.saturating_sub(1);
            } else if depth == 0 && ["or", "between", "case"].iter().any(|word| token.is_word(word)) {
                return vec![Self::new(sql)];
            } else if depth == 0 && token.is_word("and") {
                parts.extend(sql.get(start..at.start));
                start = at.end;
            }
        }
        if parts.is_empty() {
            return vec![Self::new(sql)];
        }
        parts.extend(sql.get(start..));
        parts.into_iter().flat_map(|part| Self::new(part).conjuncts()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_outer_and_joins() {
        for (sql, expected) in [
            ("a > 0", vec!["a > 0"]),
            ("a > 0 and b", vec!["a > 0", "b"]),
            ("((a is not null) AND (b and (c)))", vec!["a is not null", "b", "c"]),
            ("a between 1 and 2 and b", vec!["a between 1 and 2 and b"]),
            ("a and b or c", vec!["a and b or c"]),
            ("(a or b) and c", vec!["a or b", "c"]),
            ("not (a and b)", vec!["not (a and b)"]),
            ("case when a and b then c else d end", vec!["case when a and b then c else d end"]),
            ("", vec![""]),
            ("and", vec!["", ""]),
            ("a and )(", vec!["a", ")("]),
        ] {
            let expected: Vec<_> = expected.into_iter().map(Expression::new).collect();
            assert_eq!(Expression::new(sql).conjuncts(), expected, "{sql}");
        }
    }
}
