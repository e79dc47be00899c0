//! What the options of a sequence come to, and which of them say nothing that PostgreSQL wouldn't choose anyway.

use super::SequenceOptions;

/// Every attribute of a sequence, as `pg_sequence` has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SequenceAttributes {
    /// `smallint`, `integer` or `bigint`.
    pub data_type: String,
    /// The first value.
    pub start: i64,
    /// The step, negative for a descending sequence.
    pub increment: i64,
    /// The least value.
    pub minimum: i64,
    /// The greatest value.
    pub maximum: i64,
    /// How many values a session takes at once.
    pub cache: i64,
    /// Whether it starts again when it is used up.
    pub cycle: bool,
}

/// The least and the greatest value of a sequence of this type where none are written (`init_params` of PostgreSQL's
/// `src/backend/commands/sequence.c`).
#[must_use]
pub fn default_limits(data_type: &str, increment: i64) -> (i64, i64) {
    let (least, greatest) = match data_type {
        "smallint" => (i64::from(i16::MIN), i64::from(i16::MAX)),
        "integer" => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    };
    if increment < 0 { (least, -1) } else { (1, greatest) }
}

impl SequenceOptions {
    /// Every attribute, with PostgreSQL's defaults where nothing is written.
    #[must_use]
    pub fn attributes(&self) -> SequenceAttributes {
        let data_type = self.data_type.clone().unwrap_or_else(|| "bigint".to_owned());
        let increment = self.increment.unwrap_or(1);
        let (least, greatest) = default_limits(&data_type, increment);
        let (minimum, maximum) = (self.minimum.unwrap_or(least), self.maximum.unwrap_or(greatest));
        let start = self.start.unwrap_or(if increment < 0 { maximum } else { minimum });
        SequenceAttributes { data_type, start, increment, minimum, maximum, cache: self.cache.unwrap_or(1), cycle: self.cycle }
    }

    /// The same options without those that PostgreSQL would choose anyway: `pg_dump` writes `start with 1 increment by 1`.
    #[must_use]
    pub fn without_defaults(&self) -> Self {
        self.attributes().options()
    }
}

impl SequenceAttributes {
    /// The fewest options that say the same.
    #[must_use]
    pub fn options(&self) -> SequenceOptions {
        let (least, greatest) = default_limits(&self.data_type, self.increment);
        let first = if self.increment < 0 { self.maximum } else { self.minimum };
        let unless = |value: i64, default: i64| (value != default).then_some(value);
        SequenceOptions {
            data_type: Some(self.data_type.clone()).filter(|data_type| data_type != "bigint"),
            start: unless(self.start, first),
            increment: unless(self.increment, 1),
            minimum: unless(self.minimum, least),
            maximum: unless(self.maximum, greatest),
            cache: unless(self.cache, 1),
            cycle: self.cycle,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pg_dump_writes_out_is_no_option() {
        let written = SequenceOptions { start: Some(1), increment: Some(1), cache: Some(1), ..SequenceOptions::default() };
        assert_eq!(written.without_defaults(), SequenceOptions::default());
        let limits = SequenceOptions { minimum: Some(1), maximum: Some(i64::MAX), ..SequenceOptions::default() };
        assert_eq!(limits.without_defaults(), SequenceOptions::default());
    }

    #[test]
    fn a_start_that_is_not_the_least_value_stays() {
        let options = SequenceOptions { start: Some(1), minimum: Some(0), ..SequenceOptions::default() };
        assert_eq!(options.without_defaults(), options);
        let descending = SequenceOptions { start: Some(-1), increment: Some(-1), ..SequenceOptions::default() };
        assert_eq!(descending.without_defaults().start, None);
        assert_eq!(descending.attributes().minimum, i64::MIN);
    }
}
