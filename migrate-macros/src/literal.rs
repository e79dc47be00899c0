//! What a Rust literal stands for.

/// A literal, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literal {
    /// `"…"`, `r"…"`.
    Text { value: String, raw: bool },
    /// `b"…"`, `br"…"`.
    Bytes(Vec<u8>),
    /// A number in the digits that PostgreSQL reads: decimal, no underscores.
    Number(String),
    /// `'a'`, and what is between its quotes.
    Character(String),
    /// `b'a'`.
    Byte,
    /// `c"…"`.
    CText,
    /// A literal with letters after it, such as `1i64` or `"a"x`.
    Suffixed { literal: String, suffix: String },
}

/// Decodes a literal from its spelling, which the lexer has accepted.
pub fn decode(spelling: &str) -> Literal {
    if spelling.starts_with(|first: char| first.is_ascii_digit() || first == '-') {
        return number(spelling);
    }
    let quote = spelling.find(['"', '\'']).unwrap_or(spelling.len());
    let (prefix, rest) = spelling.split_at(quote);
    let hashes = prefix.chars().filter(|character| *character == '#').count();
    let closing = if rest.starts_with('\'') { '\'' } else { '"' };
    let end = rest.rfind(closing).unwrap_or(0);
    let suffix_at = (end + 1 + hashes).min(rest.len());
    let content = rest.get(1..end).unwrap_or_default();
    if let Some(suffix) = rest.get(suffix_at..).filter(|suffix| !suffix.is_empty()) {
        let literal = spelling.strip_suffix(suffix).unwrap_or(spelling).to_owned();
        return Literal::Suffixed { literal, suffix: suffix.to_owned() };
    }
    match (prefix.trim_end_matches('#'), closing) {
        ("", '\'') => Literal::Character(content.to_owned()),
        (_, '\'') => Literal::Byte,
        ("", _) => Literal::Text { value: unescape(content), raw: false },
        ("r", _) => Literal::Text { value: unix_lines(content), raw: true },
        ("b", _) => Literal::Bytes(unescape_bytes(content)),
        ("br", _) => Literal::Bytes(unix_lines(content).into_bytes()),
        _ => Literal::CText,
    }
}

/// Rust counts a line break as one line feed however the file spells it.
fn unix_lines(content: &str) -> String {
    content.replace("\r\n", "\n")
}

fn number(spelling: &str) -> Literal {
    let (sign, unsigned) = match spelling.strip_prefix('-') {
        Some(unsigned) => ("-", unsigned),
        None => ("", spelling),
    };
    let radix = match unsigned.get(..2) {
        Some("0x") => 16,
        Some("0o") => 8,
        Some("0b") => 2,
        _ => 10,
    };
    let (digits, suffix) = if radix == 10 {
        let end = decimal_end(unsigned);
        (unsigned[..end].replace('_', ""), &unsigned[end..])
    } else {
        let body = &unsigned[2..];
        let end = body.find(|character: char| character != '_' && !character.is_digit(radix)).unwrap_or(body.len());
        (decimal(&body[..end], radix), &body[end..])
    };
    let number = format!("{sign}{digits}");
    if suffix.is_empty() {
        Literal::Number(number)
    } else {
        Literal::Suffixed { literal: number, suffix: suffix.trim_start_matches('_').to_owned() }
    }
}

/// Where the digits, the fraction and the exponent end.
fn decimal_end(text: &str) -> usize {
    let digits = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        from + rest.find(|character: char| !character.is_ascii_digit() && character != '_').unwrap_or(rest.len())
    };
    let has_digit = |from: usize, to: usize| text[from..to].contains(|character: char| character.is_ascii_digit());
    let mut end = digits(0);
    if text[end..].starts_with('.') {
        end = digits(end + 1);
    }
    if text[end..].starts_with(['e', 'E']) {
        let after = end + 1;
        let sign = usize::from(text[after..].starts_with(['+', '-']));
        let exponent = digits(after + sign);
        if has_digit(after + sign, exponent) {
            end = exponent;
        }
    }
    // A suffix may be set off by an underscore, as in `1_i64`.
    text[..end].trim_end_matches('_').len()
}

/// The decimal digits of a number of any length.
fn decimal(digits: &str, radix: u32) -> String {
    let mut decimal: Vec<u32> = vec![0];
    for digit in digits.chars().filter_map(|character| character.to_digit(radix)) {
        let mut carry = digit;
        for place in &mut decimal {
            let value = *place * radix + carry;
            *place = value % 10;
            carry = value / 10;
        }
        while carry > 0 {
            decimal.push(carry % 10);
            carry /= 10;
        }
    }
    decimal.iter().rev().filter_map(|place| char::from_digit(*place, 10)).collect()
}

/// What the escapes of a string or a character stand for.
pub fn unescape(content: &str) -> String {
    let mut value = String::with_capacity(content.len());
    let mut rest = content;
    while let Some((character, after)) = take(rest) {
        if character == '\\' {
            let (escaped, after) = escape(after);
            value.extend(escaped);
            rest = after;
        } else {
            // A carriage return stands in a string only as half of a line break.
            if character != '\r' {
                value.push(character);
            }
            rest = after;
        }
    }
    value
}

fn unescape_bytes(content: &str) -> Vec<u8> {
    // `\xff` is the byte 255 and not the character, so every character stands for its number, and all are below 256.
    unescape(content).chars().filter_map(|character| u8::try_from(u32::from(character)).ok()).collect()
}

fn take(text: &str) -> Option<(char, &str)> {
    let mut characters = text.chars();
    let character = characters.next()?;
    Some((character, characters.as_str()))
}

/// What stands after a backslash, decoded, and the rest.
fn escape(text: &str) -> (Option<char>, &str) {
    let Some((kind, rest)) = take(text) else { return (None, text) };
    match kind {
        'n' => (Some('\n'), rest),
        'r' => (Some('\r'), rest),
        't' => (Some('\t'), rest),
        '0' => (Some('\0'), rest),
        'x' => {
            let (digits, rest) = rest.split_at_checked(2).unwrap_or((rest, ""));
            (hexadecimal(digits), rest)
        }
        'u' => {
            let (digits, rest) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).unwrap_or(("", rest));
            (hexadecimal(digits), rest)
        }
        // At the end of a line: the string goes on with the next character that is no blank.
        '\n' | '\r' => (None, rest.trim_start_matches([' ', '\t', '\n', '\r'])),
        other => (Some(other), rest),
    }
}

fn hexadecimal(digits: &str) -> Option<char> {
    u32::from_str_radix(&digits.replace('_', ""), 16).ok().and_then(char::from_u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Literal {
        Literal::Text { value: value.to_owned(), raw: false }
    }

    fn raw(value: &str) -> Literal {
        Literal::Text { value: value.to_owned(), raw: true }
    }

    fn suffixed(literal: &str, suffix: &str) -> Literal {
        Literal::Suffixed { literal: literal.to_owned(), suffix: suffix.to_owned() }
    }

    #[test]
    fn strings_are_unescaped_as_rust_does() {
        assert_eq!(decode(r#""plain""#), text("plain"));
        assert_eq!(decode(r#""""#), text(""));
        assert_eq!(decode(r#""a\tb\n\\\"\'\r\0""#), text("a\tb\n\\\"'\r\0"));
        assert_eq!(decode(r#""\x41\u{e9}\u{1F_600}""#), text("Aé😀"));
        assert_eq!(decode("\"one\\\n      two\""), text("onetwo"));
        assert_eq!(decode("\"one\r\ntwo\""), text("one\ntwo"));
        assert_eq!(decode("\"it's\""), text("it's"));
    }

    #[test]
    fn raw_strings_keep_everything_but_the_spelling_of_line_breaks() {
        assert_eq!(decode(r#"r"a\n""#), raw(r"a\n"));
        assert_eq!(decode(r###"r##"a"#b"##"###), raw("a\"#b"));
        assert_eq!(decode("r\"a\r\nb\""), raw("a\nb"));
    }

    #[test]
    fn byte_strings_are_bytes() {
        assert_eq!(decode(r#"b"a\xff\0""#), Literal::Bytes(vec![b'a', 0xff, 0]));
        assert_eq!(decode(r##"br#"\x"#"##), Literal::Bytes(b"\\x".to_vec()));
    }

    #[test]
    fn what_is_no_string_says_what_it_is() {
        assert_eq!(decode("'a'"), Literal::Character("a".to_owned()));
        assert_eq!(decode(r"'\''"), Literal::Character(r"\'".to_owned()));
        assert_eq!(decode("b'a'"), Literal::Byte);
        assert_eq!(decode(r#"c"a""#), Literal::CText);
        assert_eq!(decode(r##"cr#"a"#"##), Literal::CText);
    }

    #[test]
    fn numbers_become_the_digits_that_every_server_reads() {
        for (rust, sql) in [
            ("0", "0"),
            ("1_000_000", "1000000"),
            ("1.5", "1.5"),
            ("1.", "1."),
            ("1e5", "1e5"),
            ("1E-5", "1E-5"),
            ("1_0.2_5e+1_0", "10.25e+10"),
            ("0x1F", "31"),
            ("0x_ff_ff", "65535"),
            ("0o17", "15"),
            ("0b1010", "10"),
            ("0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", "87112285931760246646623899502532662132735"),
            ("-7", "-7"),
            ("007", "007"),
        ] {
            assert_eq!(decode(rust), Literal::Number(sql.to_owned()), "{rust}");
        }
    }

    #[test]
    fn suffixes_are_told_apart_from_the_literal() {
        assert_eq!(decode("1i64"), suffixed("1", "i64"));
        assert_eq!(decode("1_i64"), suffixed("1", "i64"));
        assert_eq!(decode("1.5f32"), suffixed("1.5", "f32"));
        assert_eq!(decode("0x1Fu8"), suffixed("31", "u8"));
        assert_eq!(decode("1em"), suffixed("1", "em"));
        assert_eq!(decode("2kb"), suffixed("2", "kb"));
        assert_eq!(decode(r#""a"x"#), suffixed(r#""a""#, "x"));
        assert_eq!(decode(r##"r#"a"#x"##), suffixed(r##"r#"a"#"##, "x"));
        assert_eq!(decode("'a'x"), suffixed("'a'", "x"));
    }

    #[test]
    fn no_spelling_makes_it_panic() {
        for spelling in ["", "\"", "r", "r#\"", "0x", "-", "1e", "1e+", "b\"\\x", "\"\\u{\"", "\"\\", "'", "é\"", "0é"] {
            decode(spelling);
        }
    }
}
