//! `create type … as enum`.
//!
//! - **SQL**: `create type status as enum ('draft', 'published')`
//! - **Lock**: none
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: `drop type`
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `CREATE TYPE`

use crate::effects::Effects;
use crate::name::{Name, QualifiedName, quote_literal};
use crate::operation::{Inverse, Operate};
use crate::ops::DropType;
use crate::report::Report;
use crate::schema::{EnumType, ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Creates an enum type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateEnum {
    /// The type.
    pub name: QualifiedName,
    /// Its labels, in their order. PostgreSQL stores them as names: 63 bytes at the most.
    pub labels: Vec<Name>,
}

impl CreateEnum {
    /// What creates `enum_type` as it is, its comment not included.
    #[must_use]
    pub fn of(name: &QualifiedName, enum_type: &EnumType) -> Self {
        Self { name: name.clone(), labels: enum_type.labels.iter().map(|label| Name::new(label.as_str())).collect() }
    }
}

impl Operate for CreateEnum {
    fn describe(&self) -> String {
        format!("create type `{}`", self.name)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        super::schema_of(&self.name)
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Type(self.name.clone())]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        report.check_length([&self.name.name]);
        report.needs_schema(schema, &self.name.schema);
        report.type_is_free(schema, &self.name);
        for (i, label) in self.labels.iter().enumerate() {
            if self.labels[..i].contains(label) {
                report.label_exists(&self.name, label);
            }
            report.check_label(label);
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        let labels = self.labels.iter().map(|label| label.as_str().to_owned()).collect();
        schema.enums.insert(self.name.clone(), EnumType { labels, origin: origin.clone(), ..EnumType::default() });
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects::default()
    }

    fn inverse(&self, _before: &Schema) -> Inverse {
        Ok(vec![DropType::new(self.name.clone()).into()])
    }

    fn render(&self) -> Vec<String> {
        let labels: Vec<_> = self.labels.iter().map(|label| quote_literal(label.as_str())).collect();
        vec![format!("create type {} as enum ({})", self.name.quoted(), labels.join(", "))]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::CreateEnum;
    use crate::lower::syntax;
    use squawk_syntax::ast;

    impl CreateEnum {
        /// `None` for composite, range and base types.
        pub(crate) fn lower(statement: &ast::CreateType) -> Option<Self> {
            let ast::CreateTypeKind::EnumType(enumeration) = statement.kind()? else { return None };
            let labels = enumeration.variant_list()?.variants().map(|variant| syntax::label(&variant.literal()?)).collect::<Option<_>>()?;
            Some(Self { name: syntax::path(&statement.type_name()?.path()?)?, labels })
        }
    }
}
