//! What PostgreSQL calls an index key that is an expression: `FigureColname` of its `src/backend/parser/parse_target.c`,
//! read from tokens, since the runtime has no parser.

use crate::expression::{Token, token_list};

/// How sure PostgreSQL is of a name: a cast or a `case` gives way to a better one from within.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Figured {
    Nothing,
    Weak(String),
    Strong(String),
}

impl Figured {
    fn or_weak(self, name: &str) -> Self {
        match self {
            Self::Strong(name) => Self::Strong(name),
            Self::Nothing | Self::Weak(_) => Self::Weak(name.to_owned()),
        }
    }
}

/// The name of the key; `None` where PostgreSQL finds none and says `expr`.
pub(super) fn key_name(sql: &str) -> Option<String> {
    match figure(&token_list(sql)) {
        Figured::Nothing => None,
        Figured::Weak(name) | Figured::Strong(name) => Some(name),
    }
}

/// The names of the keys of an exclusion constraint, and of what it includes: `using gist (room with =, …) include (…)`.
pub(super) fn of_exclusion(definition: &str) -> Vec<String> {
    let tokens = token_list(definition);
    let mut names = Vec::new();
    let Some(open) = top_level(&tokens, |token| token.is("(")) else { return names };
    let close = after_bracket(&tokens, open);
    for element in split_at_commas(tokens.get(open + 1..close - 1).unwrap_or_default()) {
        names.push(exclusion_key(element).unwrap_or_else(|| "expr".to_owned()));
    }
    if tokens.get(close).is_some_and(|token| token.is_word("include")) {
        let end = after_bracket(&tokens, close + 1);
        let included = tokens.get(close + 2..end.saturating_sub(1)).unwrap_or_default();
        names.extend((0..included.len()).filter_map(|i| identifier(included, i)).map(str::to_owned));
    }
    names
}

/// A key stands at the start, as a column, a call or an expression in parentheses; an operator class may follow.
fn exclusion_key(element: &[Token]) -> Option<String> {
    let end = operand(element)?.1;
    match figure(element.get(..end)?) {
        Figured::Nothing => None,
        Figured::Weak(name) | Figured::Strong(name) => Some(name),
    }
}

/// One operand with what may follow it without an operator: fields, subscripts, casts, a collation, a time zone. Anything
/// else has an operator on top, and no name.
fn figure(tokens: &[Token]) -> Figured {
    let Some((mut figured, mut i)) = operand(tokens) else { return Figured::Nothing };
    while let Some(token) = tokens.get(i) {
        if token.is("::") {
            let (name, end) = type_name(tokens, i + 1);
            figured = figured.or_weak(&name);
            i = end;
        } else if token.is(".") {
            let Some(field) = identifier(tokens, i + 1) else { return Figured::Nothing };
            figured = Figured::Strong(field.to_owned());
            i += 2;
        } else if token.is("[") {
            i = after_bracket(tokens, i);
        } else if token.is_word("collate") {
            i = after_path(tokens, i + 1);
        } else if token.is_word("at") && tokens.get(i + 1).is_some_and(|next| next.is_word("time")) {
            let Some((_, length)) = tokens.get(i + 3..).and_then(operand) else { return Figured::Nothing };
            figured = Figured::Strong("timezone".to_owned());
            i += 3 + length;
        } else {
            return Figured::Nothing;
        }
    }
    figured
}

/// The name of the operand at the start, and where it ends.
fn operand(tokens: &[Token]) -> Option<(Figured, usize)> {
    let strong = |name: &str| Figured::Strong(name.to_owned());
    match tokens.first()? {
        token if token.is("(") => {
            let end = after_bracket(tokens, 0);
            let inside = tokens.get(1..end - 1)?;
            let row = top_level(inside, |token| token.is(",")).is_some();
            Some((if row { strong("row") } else { figure(inside) }, end))
        }
        Token::Word(word) if word == "case" => {
            let end = after_case(tokens)?;
            let otherwise = top_level(&tokens[1..end - 1], |token| token.is_word("else"));
            let figured = otherwise.map_or(Figured::Nothing, |otherwise| figure(&tokens[otherwise + 2..end - 1]));
            Some((figured.or_weak("case"), end))
        }
        Token::Word(word) if word == "array" => Some((strong("array"), after_bracket(tokens, 1))),
        Token::Word(word) if matches!(word.as_str(), "cast" | "treat") && tokens.get(1)?.is("(") => {
            let end = after_bracket(tokens, 1);
            let inside = tokens.get(2..end - 1)?;
            let keyword = top_level(inside, |token| token.is_word("as"))?;
            let (name, _) = type_name(inside, keyword + 1);
            Some((if word == "cast" { figure(&inside[..keyword]).or_weak(&name) } else { Figured::Strong(name) }, end))
        }
        Token::Word(word) if matches!(word.as_str(), "not" | "exists" | "true" | "false" | "null") => None,
        Token::Word(_) | Token::Quoted(_) => {
            let path = after_path(tokens, 0);
            if tokens.get(path).is_some_and(|next| next.is("(")) {
                let end = after_bracket(tokens, path);
                let is_type = matches!(tokens.get(end), Some(Token::String(_)));
                if !is_type {
                    return Some((strong(call_name(&tokens[path - 1..end])?), end));
                }
            }
            let (name, end) = type_name(tokens, 0);
            if matches!(tokens.get(end), Some(Token::String(_))) {
                return Some((Figured::Weak(name), after_interval_unit(tokens, end + 1)));
            }
            Some((strong(identifier(tokens, path - 1)?), path))
        }
        Token::String(_) | Token::Number(_) => Some((Figured::Nothing, 1)),
        Token::Punctuation(_) => None,
    }
}

/// The function that a call means. `trim` is a phrase for one of three.
fn call_name(call: &[Token]) -> Option<&str> {
    match (identifier(call, 0)?, call.get(2)) {
        ("trim", Some(Token::Word(side))) if side == "leading" => Some("ltrim"),
        ("trim", Some(Token::Word(side))) if side == "trailing" => Some("rtrim"),
        ("trim", _) if matches!(call[0], Token::Word(_)) => Some("btrim"),
        (name, _) => Some(name),
    }
}

fn identifier(tokens: &[Token], i: usize) -> Option<&str> {
    match tokens.get(i)? {
        Token::Word(text) | Token::Quoted(text) => Some(text),
        _ => None,
    }
}

/// The end of `schema.name`, which starts at `i`.
fn after_path(tokens: &[Token], mut i: usize) -> usize {
    i += 1;
    while tokens.get(i).is_some_and(|token| token.is(".")) && identifier(tokens, i + 1).is_some() {
        i += 2;
    }
    i.min(tokens.len())
}

/// The end of what is opened at `i`.
fn after_bracket(tokens: &[Token], i: usize) -> usize {
    let mut depth = 0_usize;
    for (j, token) in tokens.iter().enumerate().skip(i) {
        if token.is("(") || token.is("[") {
            depth += 1;
        } else if token.is(")") || token.is("]") {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return j + 1;
            }
        }
    }
    tokens.len()
}

fn after_case(tokens: &[Token]) -> Option<usize> {
    let mut depth = 0_usize;
    for (i, token) in tokens.iter().enumerate() {
        if token.is_word("case") {
            depth += 1;
        } else if token.is_word("end") {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return Some(i + 1);
            }
        }
    }
    None
}

/// The first token outside of all brackets and cases that `wanted` accepts.
fn top_level(tokens: &[Token], wanted: impl Fn(&Token) -> bool) -> Option<usize> {
    let mut depth = 0_usize;
    for (i, token) in tokens.iter().enumerate() {
        if depth == 0 && wanted(token) {
            return Some(i);
        }
        if token.is("(") || token.is("[") || token.is_word("case") {
            depth += 1;
        } else if token.is(")") || token.is("]") || token.is_word("end") {
            depth = depth.saturating_sub(1);
        }
    }
    None
}

fn split_at_commas(tokens: &[Token]) -> Vec<&[Token]> {
    let mut rest = tokens;
    let mut parts = Vec::new();
    while let Some(comma) = top_level(rest, |token| token.is(",")) {
        parts.push(&rest[..comma]);
        rest = &rest[comma + 1..];
    }
    parts.push(rest);
    parts
}

/// `interval '1' year to month`: the words behind the literal.
fn after_interval_unit(tokens: &[Token], mut i: usize) -> usize {
    let unit = |token: &Token| match token {
        Token::Word(word) => matches!(word.as_str(), "year" | "month" | "day" | "hour" | "minute" | "second" | "to"),
        _ => false,
    };
    while tokens.get(i).is_some_and(unit) {
        i += 1;
    }
    i
}

/// The name that the catalog has for the type at `i`, and where it ends.
fn type_name(tokens: &[Token], i: usize) -> (String, usize) {
    let word = |i: usize| match tokens.get(i) {
        Some(Token::Word(word)) => word.as_str(),
        _ => "",
    };
    let modifier = |i: usize| if tokens.get(i).is_some_and(|token| token.is("(")) { after_bracket(tokens, i) } else { i };
    let varying = word(i + 1) == "varying";
    let (name, end) = match word(i) {
        "national" => {
            let varying = word(i + 2) == "varying";
            (if varying { "varchar" } else { "bpchar" }, i + 2 + usize::from(varying))
        }
        "character" | "char" | "nchar" if varying => ("varchar", i + 2),
        "character" | "char" | "nchar" => ("bpchar", i + 1),
        "bit" if varying => ("varbit", i + 2),
        "int" | "integer" => ("int4", i + 1),
        "bigint" => ("int8", i + 1),
        "smallint" => ("int2", i + 1),
        "real" => ("float4", i + 1),
        "double" => ("float8", i + 2),
        "float" => {
            let single = matches!(tokens.get(i + 2), Some(Token::Number(bits)) if bits.parse::<u32>().is_ok_and(|bits| bits <= 24));
            (if single { "float4" } else { "float8" }, i + 1)
        }
        "decimal" | "dec" => ("numeric", i + 1),
        "boolean" => ("bool", i + 1),
        base @ ("timestamp" | "time") => {
            let end = modifier(i + 1);
            let zoned = word(end) == "with" && word(end + 1) == "time";
            let unzoned = word(end) == "without" && word(end + 1) == "time";
            let name = if zoned { format!("{base}tz") } else { base.to_owned() };
            return (name, after_array(tokens, if zoned || unzoned { end + 3 } else { end }));
        }
        _ => {
            let end = after_path(tokens, i);
            (identifier(tokens, end.saturating_sub(1)).unwrap_or_default(), end)
        }
    };
    let end = modifier(end);
    (name.to_owned(), after_array(tokens, if name == "interval" { after_interval_unit(tokens, end) } else { end }))
}

fn after_array(tokens: &[Token], mut i: usize) -> usize {
    if tokens.get(i).is_some_and(|token| token.is_word("array")) {
        i += 1;
    }
    while tokens.get(i).is_some_and(|token| token.is("[")) {
        i = after_bracket(tokens, i);
    }
    i.min(tokens.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_on_top_has_no_name() {
        for sql in ["a + b", "-a", "not a", "a is null", "a || lower(b)", "lower(a) || lower(b)", "1", "'x'", "a in (1, 2)", ""] {
            assert_eq!(key_name(sql), None, "{sql}");
        }
    }

    #[test]
    fn functions_columns_and_fields_give_theirs() {
        for (sql, name) in [
            ("lower(title)", "lower"),
            ("(pg_catalog.lower(title))", "lower"),
            ("coalesce(a, b)", "coalesce"),
            ("lower(a) collate \"C\"", "lower"),
            ("(place).\"City\"", "City"),
            ("tags[1]", "tags"),
            ("trim(leading from a)", "ltrim"),
            ("a at time zone 'utc'", "timezone"),
            ("array[a, b]", "array"),
        ] {
            assert_eq!(key_name(sql).as_deref(), Some(name), "{sql}");
        }
    }

    #[test]
    fn casts_and_cases_give_way() {
        for (sql, name) in [
            ("(data ->> 'n')::int", "int4"),
            ("lower(a)::varchar(3)", "lower"),
            ("cast(a + 1 as timestamp(3) with time zone)", "timestamptz"),
            ("case when a then b else c end", "c"),
            ("case when a then b else c + 1 end", "case"),
            ("(case when a then 1 end)::bigint", "int8"),
            ("date '2000-01-01'", "date"),
            ("(a || b)::text[]", "text"),
        ] {
            assert_eq!(key_name(sql).as_deref(), Some(name), "{sql}");
        }
    }

    #[test]
    fn never_panics_on_odd_text() {
        for sql in
            ["(", ")", "()", "case", "case end", "cast(", "a.", "a::", "a::(", "array", "a at time", "trim(", "case when x else", "["]
        {
            let _ = key_name(sql);
        }
    }
}
