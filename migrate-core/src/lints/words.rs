//! Names in sentences.

use crate::name::Name;
use crate::schema::ObjectKey;

/// `` table `a`, view `b` and column `a.b` ``.
pub(super) fn objects<'a>(keys: impl IntoIterator<Item = &'a ObjectKey>) -> String {
    let name = |key: &ObjectKey| match key {
        ObjectKey::Constraint(table, constraint) => format!("constraint `{constraint}` of `{table}`"),
        key => format!("{} `{}`", key.kind(), key.name()),
    };
    sentence(keys.into_iter().map(name).collect())
}

fn sentence(mut names: Vec<String>) -> String {
    match names.pop() {
        Some(last) if names.is_empty() => last,
        Some(last) => format!("{} and {last}", names.join(", ")),
        None => String::new(),
    }
}

/// `a, b`, as people read it.
pub(super) fn columns<'a>(columns: impl IntoIterator<Item = &'a Name>) -> String {
    columns.into_iter().map(Name::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::QualifiedName;

    #[test]
    fn names_make_sentences() {
        let documents = QualifiedName::public("documents");
        let keys = [ObjectKey::Table(documents.clone()), ObjectKey::Constraint(documents, Name::new("documents_pkey"))];
        assert_eq!(objects(&keys), "table `documents` and constraint `documents_pkey` of `documents`");
    }
}
