//! Takes passwords out of text that may repeat what a person wrote.

/// Where a URL ends in a text.
fn ends_url(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '\'' | '"' | '`' | '<' | '>')
}

/// The text, with the password of every URL and of every `password=…` in it replaced by `***`.
pub(super) fn redact(text: &str) -> String {
    redact_parameters(&redact_urls(text))
}

fn redact_urls(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        clean.push_str(before);
        let (url, tail) = after.split_at(after.find(ends_url).unwrap_or(after.len()));
        // the last `@`: a password that isn't percent-encoded may have others, and slashes
        match url.rsplit_once('@').and_then(|(user, host)| Some((user.split_once(':')?.0, host))) {
            Some((user, host)) => clean.extend([user, ":***@", host]),
            None => clean.push_str(url),
        }
        rest = tail;
    }
    clean.push_str(rest);
    clean
}

fn redact_parameters(text: &str) -> String {
    const NAME: &str = "password=";
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.to_ascii_lowercase().find(NAME) {
        let (before, after) = rest.split_at(at + NAME.len());
        clean.push_str(before);
        clean.push_str("***");
        rest = &after[after.find(|c| ends_url(c) || c == '&').unwrap_or(after.len())..];
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::redact;

    #[test]
    fn passwords_go() {
        let cases = [
            ("unexpected argument 'postgres://u:s3cret@h:5/d' found", "unexpected argument 'postgres://u:***@h:5/d' found"),
            ("postgres://u:p@ss/w:rd@h/d and postgres://v:x@h", "postgres://u:***@h/d and postgres://v:***@h"),
            ("\u{1b}[33mpostgres://u:s3cret@h\u{1b}[0m", "\u{1b}[33mpostgres://u:***@h\u{1b}[0m"),
            ("postgres://h/d?user=u&Password=s3cret&sslmode=require", "postgres://h/d?user=u&Password=***&sslmode=require"),
            ("host=h password=s3cret user=u", "host=h password=*** user=u"),
        ];
        for (text, clean) in cases {
            assert_eq!(redact(text), clean);
        }
    }

    #[test]
    fn everything_else_stays() {
        for text in ["postgres://u@h:5432/d", "sqlite://a.db", "see https://example.org/a:b", "no url", ""] {
            assert_eq!(redact(text), text);
        }
    }
}
