//! Durations as people write them: `500ms`, `2s`, `1.5m`, `1h`.

use std::time::Duration;

/// PostgreSQL counts its timeouts in milliseconds, in 32 bits.
const LONGEST: Duration = Duration::from_millis(i32::MAX as u64);

/// Any duration, also none.
pub(super) fn any(text: &str) -> Result<Duration, String> {
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "" if number.parse() == Ok(0_u8) => 0.0,
        _ => return Err("write a number and its unit: `500ms`, `2s`, `5m` or `1h`".to_owned()),
    };
    let plain = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit() || c == '.');
    let number: f64 = number.trim().parse().ok().filter(|_| plain).ok_or_else(|| format!("`{number}` is not a number"))?;
    Duration::try_from_secs_f64(number * seconds).ok().filter(|duration| *duration <= LONGEST).ok_or_else(|| "at most 24 days".to_owned())
}

/// At least a millisecond: PostgreSQL takes a timeout of zero for none at all.
pub(super) fn positive(text: &str) -> Result<Duration, String> {
    let duration = any(text)?;
    if duration < Duration::from_millis(1) { Err("at least `1ms`".to_owned()) } else { Ok(duration) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_units() {
        assert_eq!(any("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(any("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(any("1.5m"), Ok(Duration::from_secs(90)));
        assert_eq!(any("1h"), Ok(Duration::from_hours(1)));
        assert_eq!(any("0"), Ok(Duration::ZERO));
        assert_eq!(any("0s"), Ok(Duration::ZERO));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "5", "s", "-1s", "1 s", "1e3s", "infs", "nans", "5 minutes", "999h", "1.2.3s", "1d"] {
            assert!(any(text).is_err(), "{text}: {:?}", any(text));
        }
        assert!(positive("0s").is_err());
        assert!(positive("0.5ms").is_err());
        assert_eq!(positive("1ms"), Ok(Duration::from_millis(1)));
    }
}
