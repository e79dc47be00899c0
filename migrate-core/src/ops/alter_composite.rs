//! `alter type … attribute`.
//!
//! - **SQL**: `alter type address add attribute country text`
//! - **Lock**: none on tables
//! - **Rewrites**: nothing: stored values lack what was added, and keep what was dropped out of sight
//! - **Transaction**: inside
//! - **Undo**: `drop`, `rename` and the type before; a dropped attribute comes back only if it was the last one
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER TYPE`

use crate::data_type::DataType;
use crate::effects::Effects;
use crate::name::{Name, QualifiedName, quote_identifier};
use crate::operation::{Inverse, NoInverse, Operate};
use crate::render;
use crate::report::Report;
use crate::schema::{Attribute, CompositeType, ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Changes an attribute of a composite type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlterComposite {
    /// The type.
    pub name: QualifiedName,
    /// How.
    pub change: AttributeChange,
    /// `cascade`: tables of the type follow.
    #[serde(default)]
    pub cascade: bool,
}

/// What becomes of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttributeChange {
    /// `add attribute`.
    Add(Attribute),
    /// `drop attribute`.
    Drop {
        /// Its name.
        name: Name,
        /// `if exists`.
        if_exists: bool,
    },
    /// `alter attribute … type`.
    Retype(Attribute),
    /// `rename attribute`.
    Rename {
        /// Its name.
        from: Name,
        /// Its new name.
        to: Name,
    },
}

impl AttributeChange {
    fn sql(&self) -> String {
        match self {
            Self::Add(attribute) => format!("add attribute {}", render::attribute(attribute)),
            Self::Drop { name, .. } => format!("drop attribute {}", name.quoted()),
            Self::Retype(Attribute { name, data_type, collation }) => {
                let collation = collation.as_ref().map(|it| format!(" collate {}", quote_identifier(it))).unwrap_or_default();
                format!("alter attribute {} type {}{collation}", name.quoted(), data_type.sql())
            }
            Self::Rename { from, to } => format!("rename attribute {} to {}", from.quoted(), to.quoted()),
        }
    }

    fn apply(&self, composite: &mut CompositeType) {
        match self {
            Self::Add(attribute) => {
                if composite.attribute(attribute.name.as_str()).is_none() {
                    composite.attributes.push(attribute.clone());
                }
            }
            Self::Drop { name, .. } => composite.attributes.retain(|attribute| attribute.name != *name),
            Self::Retype(retyped) => {
                for attribute in composite.attributes.iter_mut().filter(|attribute| attribute.name == retyped.name) {
                    attribute.clone_from(retyped);
                }
            }
            Self::Rename { from, to } if composite.attribute(to.as_str()).is_some() || from == to => {}
            Self::Rename { from, to } => {
                for attribute in composite.attributes.iter_mut().filter(|attribute| attribute.name == *from) {
                    attribute.name.clone_from(to);
                }
            }
        }
    }

    /// The attribute that has to be there.
    fn needed(&self) -> Option<&Name> {
        match self {
            Self::Add(_) | Self::Drop { if_exists: true, .. } => None,
            Self::Drop { name, .. } | Self::Retype(Attribute { name, .. }) | Self::Rename { from: name, .. } => Some(name),
        }
    }
}

impl AlterComposite {
    fn composite<'a>(&self, schema: &'a Schema) -> Option<&'a CompositeType> {
        schema.composites.get(&self.name)
    }

    fn changed(&self, composite: &CompositeType) -> CompositeType {
        let mut changed = composite.clone();
        self.change.apply(&mut changed);
        changed
    }
}

impl Operate for AlterComposite {
    fn describe(&self) -> String {
        match &self.change {
            AttributeChange::Add(attribute) => format!("add attribute `{}` to type `{}`", attribute.name, self.name),
            AttributeChange::Drop { name, .. } => format!("drop attribute `{name}` of type `{}`", self.name),
            AttributeChange::Retype(Attribute { name, data_type, .. }) => {
                format!("change the type of attribute `{name}` of `{}` to `{data_type}`", self.name)
            }
            AttributeChange::Rename { from, to } => format!("rename attribute `{from}` of type `{}` to `{to}`", self.name),
        }
    }

    fn requires(&self) -> Vec<ObjectKey> {
        Vec::new()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Type(self.name.clone())]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        let new: Option<&DataType> = match &self.change {
            AttributeChange::Add(attribute) | AttributeChange::Retype(attribute) => Some(&attribute.data_type),
            _ => None,
        };
        if let Some(data_type) = new {
            report.needs_type(schema, data_type);
        }
        if !report.needs_composite(schema, &self.name) {
            return;
        }
        let Some(composite) = self.composite(schema) else { return };
        if let Some(name) = self.change.needed().filter(|name| composite.attribute(name.as_str()).is_none()) {
            report.no_attribute(&self.name, composite, name);
            return;
        }
        let added = match &self.change {
            AttributeChange::Add(Attribute { name, .. }) | AttributeChange::Rename { to: name, .. } => Some(name),
            _ => None,
        };
        if let Some(name) = added {
            report.check_length([name]);
            if composite.attribute(name.as_str()).is_some() {
                report.attribute_exists(&self.name, name);
            }
        }
        if let (AttributeChange::Retype(attribute), [(table, column), ..]) = (&self.change, schema.columns_of_type(&self.name).as_slice()) {
            let message = format!("column `{table}.{column}` is of type `{}`, whose values PostgreSQL can't convert", self.name);
            report.problem(attribute.name.at, message).help =
                Some("add an attribute of the new type instead, or change the type of the column first".to_owned());
        }
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        if let Some(composite) = schema.composites.get_mut(&self.name) {
            self.change.apply(composite);
        }
    }

    fn effects(&self, schema: &Schema) -> Effects {
        if self.composite(schema).is_some_and(|composite| self.changed(composite) == *composite) {
            return Effects::default();
        }
        let stored = !schema.columns_of_type(&self.name).is_empty();
        let dropped = matches!(self.change, AttributeChange::Drop { .. });
        // a program that reads a value whole counts its attributes
        Effects { breaks_readers: true, loses_data: dropped && stored, ..Effects::default() }
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        let Some(composite) = self.composite(before) else {
            return Err(NoInverse::because(format!("nothing is known of the attributes of type `{}`", self.name)));
        };
        if self.changed(composite) == *composite {
            return Ok(Vec::new());
        }
        let change = match &self.change {
            AttributeChange::Add(attribute) => AttributeChange::Drop { name: attribute.name.clone(), if_exists: false },
            AttributeChange::Drop { name, .. } => match composite.attributes.last() {
                Some(last) if last.name == *name => AttributeChange::Add(last.clone()),
                _ => {
                    let reason = format!("attribute `{name}` of type `{}` would come back behind the others", self.name);
                    return Err(NoInverse::because(reason));
                }
            },
            AttributeChange::Retype(Attribute { name, .. }) => match composite.attribute(name.as_str()) {
                Some(attribute) => AttributeChange::Retype(attribute.clone()),
                None => return Ok(Vec::new()),
            },
            AttributeChange::Rename { from, to } => AttributeChange::Rename { from: to.clone(), to: from.clone() },
        };
        Ok(vec![Self { name: self.name.clone(), change, cascade: self.cascade }.into()])
    }

    fn render(&self) -> Vec<String> {
        let cascade = if self.cascade { " cascade" } else { "" };
        vec![format!("alter type {} {}{cascade}", self.name.quoted(), self.change.sql())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::{AlterComposite, AttributeChange};
    use crate::lower::syntax;
    use crate::name::QualifiedName;
    use crate::operation::Operation;
    use crate::schema::Attribute;
    use squawk_syntax::ast;

    impl AlterComposite {
        /// One operation an attribute.
        pub(crate) fn lower(name: &QualifiedName, actions: &ast::AlterTypeAttributeActionList) -> Option<Vec<Operation>> {
            actions.actions().map(|action| Some(lower_action(name, &action)?.into())).collect()
        }

        pub(crate) fn lower_rename(name: &QualifiedName, action: &ast::RenameAttribute) -> Option<Self> {
            let change = AttributeChange::Rename {
                from: syntax::name(&action.composite_field_ref()?),
                to: syntax::name(&action.composite_field()?),
            };
            Some(Self { name: name.clone(), change, cascade: cascades(action.drop_behavior()) })
        }
    }

    fn cascades(behavior: Option<ast::DropBehavior>) -> bool {
        matches!(behavior, Some(ast::DropBehavior::Cascade(_)))
    }

    fn collation(collate: &ast::Collate) -> Option<String> {
        Some(syntax::path_ref(&collate.collation_ref()?.path_ref()?)?.name.to_string())
    }

    fn lower_action(name: &QualifiedName, action: &ast::AlterTypeAttributeAction) -> Option<AlterComposite> {
        let (change, behavior) = match action {
            ast::AlterTypeAttributeAction::AddAttribute(it) => {
                let attribute = Attribute {
                    name: syntax::name(&it.composite_field()?),
                    data_type: syntax::data_type(&it.ty()?)?,
                    collation: it.collate().as_ref().and_then(collation),
                };
                (AttributeChange::Add(attribute), it.drop_behavior())
            }
            ast::AlterTypeAttributeAction::AlterAttribute(it) => {
                let attribute = Attribute {
                    name: syntax::name(&it.composite_field_ref()?),
                    data_type: syntax::data_type(&it.ty()?)?,
                    collation: it.collate().as_ref().and_then(collation),
                };
                (AttributeChange::Retype(attribute), it.drop_behavior())
            }
            ast::AlterTypeAttributeAction::DropAttribute(it) => {
                let change = AttributeChange::Drop { name: syntax::name(&it.composite_field_ref()?), if_exists: it.if_exists().is_some() };
                (change, it.drop_behavior())
            }
        };
        Some(AlterComposite { name: name.clone(), change, cascade: cascades(behavior) })
    }
}
