//! `create type … as (…)`.
//!
//! - **SQL**: `create type address as (street text, city text)`
//! - **Lock**: none
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: `drop type`
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `CREATE TYPE`

use super::access;
use crate::effects::Effects;
use crate::name::QualifiedName;
use crate::operation::{Inverse, Operate, Operation};
use crate::ops::{CommentOn, DropType};
use crate::render;
use crate::report::Report;
use crate::schema::{Attribute, CompositeType, ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Creates a composite type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateComposite {
    /// The type.
    pub name: QualifiedName,
    /// Its attributes, in their order.
    pub attributes: Vec<Attribute>,
}

/// The operations that create `composite` as it is.
pub(super) fn recreate(name: &QualifiedName, composite: &CompositeType) -> Vec<Operation> {
    let create = CreateComposite { name: name.clone(), attributes: composite.attributes.clone() };
    let comment = CommentOn::restore(ObjectKey::Type(name.clone()), composite.comment.as_ref());
    let access = access::restore(&ObjectKey::Type(name.clone()), &composite.access);
    std::iter::once(create.into()).chain(comment).chain(access).collect()
}

impl Operate for CreateComposite {
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
        report.check_length(std::iter::once(&self.name.name).chain(self.attributes.iter().map(|attribute| &attribute.name)));
        report.needs_schema(schema, &self.name.schema);
        report.type_is_free(schema, &self.name);
        for (i, attribute) in self.attributes.iter().enumerate() {
            report.needs_type(schema, &attribute.data_type);
            if self.attributes[..i].iter().any(|earlier| earlier.name == attribute.name) {
                report.attribute_exists(&self.name, &attribute.name);
            }
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        if !schema.has_type(&self.name) {
            let composite = CompositeType { attributes: self.attributes.clone(), origin: origin.clone(), ..CompositeType::default() };
            schema.composites.insert(self.name.clone(), composite);
        }
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects::default()
    }

    fn inverse(&self, _before: &Schema) -> Inverse {
        Ok(vec![DropType::new(self.name.clone()).into()])
    }

    fn render(&self) -> Vec<String> {
        let attributes: Vec<_> = self.attributes.iter().map(render::attribute).collect();
        vec![format!("create type {} as ({})", self.name.quoted(), attributes.join(", "))]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::CreateComposite;
    use crate::lower::syntax;
    use crate::schema::Attribute;
    use squawk_syntax::ast;

    impl CreateComposite {
        /// `None` for enum, range and base types.
        pub(crate) fn lower(statement: &ast::CreateType) -> Option<Self> {
            let ast::CreateTypeKind::CompositeType(composite) = statement.kind()? else { return None };
            let attribute = |field: ast::CompositeFieldDef| {
                let collation = match field.collate() {
                    Some(collate) => Some(syntax::path_ref(&collate.collation_ref()?.path_ref()?)?.name.to_string()),
                    None => None,
                };
                Some(Attribute { name: syntax::name(&field.name()?), data_type: syntax::data_type(&field.ty()?)?, collation })
            };
            let attributes = composite.composite_field_list()?.composite_field_defs().map(attribute).collect::<Option<_>>()?;
            Some(Self { name: syntax::path(&statement.type_name()?.path()?)?, attributes })
        }
    }
}
