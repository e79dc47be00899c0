//! The known name that was probably meant.

/// The nearest of the known names, if it is near enough to be a slip.
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(&name.to_lowercase(), known), *known))
        .filter(|(distance, known)| *distance <= 1 + known.len() / 4 || name.to_lowercase().starts_with(known))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_find_the_name_and_other_words_do_not() {
        let known = ["up", "down", "irreversible", "optional"];
        assert_eq!(nearest("upp", &known), Some("up"));
        assert_eq!(nearest("donw", &known), Some("down"));
        assert_eq!(nearest("ireversable", &known), Some("irreversible"));
        assert_eq!(nearest("Optional", &known), Some("optional"));
        assert_eq!(nearest("upgrade", &known), Some("up"));
        assert_eq!(nearest("forward", &known), None);
        assert_eq!(nearest("postgresql", &["sqlite", "postgres"]), Some("postgres"));
    }
}
