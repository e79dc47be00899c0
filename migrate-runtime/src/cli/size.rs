//! Sizes as people write them: `64MiB`, `1.5GiB`, `0`.

/// Any number of bytes; `never` is more than anything has.
pub(super) fn any(text: &str) -> Result<u64, String> {
    if text == "never" {
        return Ok(u64::MAX);
    }
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let shift = match unit {
        "KiB" | "kB" => 10,
        "MiB" | "MB" => 20,
        "GiB" | "GB" => 30,
        "TiB" | "TB" => 40,
        "" if number.parse() == Ok(0_u8) => 0,
        _ => return Err("write a number and its unit, `64MiB` or `1GiB`, or `never`".to_owned()),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| text.parse::<u64>().ok().filter(|_| text.chars().all(|c| c.is_ascii_digit()));
    let parts = digits(whole).zip(digits(fraction).zip(10_u64.checked_pow(u32::try_from(fraction.len()).unwrap_or(u32::MAX))));
    let bytes = parts.and_then(|(whole, (fraction, of))| {
        let whole = whole.checked_mul(1 << shift)?;
        whole.checked_add(fraction.checked_mul(1 << shift)?.checked_div(of)?)
    });
    bytes.ok_or_else(|| format!("`{number}` is no number of {unit}"))
}

#[cfg(test)]
mod tests {
    use super::any;

    #[test]
    fn numbers_have_units() {
        for (text, bytes) in [("0", 0), ("8kB", 8192), ("64MiB", 64 << 20), ("64MB", 64 << 20), ("1.5GiB", 3 << 29), ("2TiB", 2 << 40)] {
            assert_eq!(any(text), Ok(bytes), "{text}");
        }
        assert_eq!(any("never"), Ok(u64::MAX));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "5", "MiB", "-1MiB", "1 MiB", "1e3MiB", "64mib", "9999999999999TiB", "1.MiB", ".5MiB", "1.2.3MiB", "always"] {
            assert!(any(text).is_err(), "{text}: {:?}", any(text));
        }
    }
}
