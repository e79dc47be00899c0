//! Domains and composite types.

use super::{Access, ObjectKey, Origin, Schema, Tie};
use crate::data_type::{BaseType, DataType};
use crate::expression::Expression;
use crate::name::{Name, QualifiedName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A domain: another type, with a default and conditions of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Domain {
    /// The type that it is made of, which may be a domain, too.
    pub base: DataType,
    /// `collate`, where that isn't the type's own.
    #[serde(default)]
    pub collation: Option<String>,
    /// The default of columns that have none of their own.
    #[serde(default)]
    pub default: Option<Expression>,
    /// `not null`.
    #[serde(default)]
    pub not_null: bool,
    /// Checks by name: PostgreSQL tests them in that order.
    #[serde(default)]
    pub checks: BTreeMap<Name, DomainCheck>,
    /// The text of `comment on domain`.
    #[serde(default)]
    pub comment: Option<String>,
    /// Who owns it, and who may do what with it.
    #[serde(default, skip_serializing_if = "Access::is_empty")]
    pub access: Access,
    /// Who created it.
    #[serde(default)]
    pub origin: Origin,
}

/// A check constraint of a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainCheck {
    /// What has to hold of `value`.
    pub expression: Expression,
    /// Whether it holds for all values that are stored already.
    pub validated: bool,
}

impl Domain {
    /// A domain without conditions.
    #[must_use]
    pub fn new(base: DataType) -> Self {
        Self {
            base,
            collation: None,
            default: None,
            not_null: false,
            checks: BTreeMap::new(),
            comment: None,
            access: Access::default(),
            origin: Origin::default(),
        }
    }
}

/// A composite type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompositeType {
    /// Its attributes, in their order.
    pub attributes: Vec<Attribute>,
    /// The text of `comment on type`.
    #[serde(default)]
    pub comment: Option<String>,
    /// Who owns it, and who may do what with it.
    #[serde(default, skip_serializing_if = "Access::is_empty")]
    pub access: Access,
    /// Who created it.
    #[serde(default)]
    pub origin: Origin,
}

/// An attribute of a composite type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub data_type: DataType,
    /// `collate`, where that isn't the type's own.
    #[serde(default)]
    pub collation: Option<String>,
}

impl CompositeType {
    /// The attribute of this name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name.as_str() == name)
    }
}

/// What is made of a type, besides columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeUser {
    /// A domain over it.
    Domain(QualifiedName),
    /// An attribute of a composite type.
    Attribute(QualifiedName, Name),
}

impl Schema {
    /// The type that values of `data_type` are stored as: what a domain is made of in the end. An array stays one of domains.
    #[must_use]
    pub fn stored_type<'a>(&'a self, data_type: &'a DataType) -> &'a DataType {
        let mut stored = data_type;
        // a domain is made of what was there before it: there is no circle, but a model may have been given one
        for _ in 0..=self.domains.len() {
            match stored.named().filter(|_| !stored.array).and_then(|name| self.domains.get(name)) {
                Some(domain) => stored = &domain.base,
                None => break,
            }
        }
        stored
    }

    /// Whether values of the type are tested when they are stored: those of a domain with conditions.
    #[must_use]
    pub fn is_tested(&self, data_type: &DataType) -> bool {
        self.domain_chain(data_type).any(|domain| domain.not_null || !domain.checks.is_empty())
    }

    /// What a column of the type is filled with if nothing else is said.
    #[must_use]
    pub fn default_of_type<'a>(&'a self, data_type: &'a DataType) -> Option<&'a Expression> {
        self.domain_chain(data_type).find_map(|domain| domain.default.as_ref())
    }

    /// Whether a column of the type can't be null, whatever it says itself.
    #[must_use]
    pub fn type_is_not_null(&self, data_type: &DataType) -> bool {
        self.domain_chain(data_type).any(|domain| domain.not_null)
    }

    /// The domains that a type is made of, the outermost first.
    fn domain_chain<'a>(&'a self, data_type: &'a DataType) -> impl Iterator<Item = &'a Domain> {
        let domain = |data_type: &'a DataType| data_type.named().filter(|_| !data_type.array).and_then(|name| self.domains.get(name));
        std::iter::successors(domain(data_type), move |outer| domain(&outer.base)).take(self.domains.len())
    }

    /// The domain and every domain over it.
    #[must_use]
    pub fn domains_over(&self, name: &QualifiedName) -> Vec<QualifiedName> {
        let mut found = vec![name.clone()];
        let mut seen = 0;
        while let Some(of) = found.get(seen).cloned() {
            let over = self.domains.iter().filter(|(_, domain)| domain.base.named() == Some(&of) && !domain.base.array);
            let further: Vec<_> = over.map(|(name, _)| name.clone()).filter(|name| !found.contains(name)).collect();
            found.extend(further);
            seen += 1;
        }
        found
    }

    /// The columns whose values are those of the domain, or of a domain over it.
    #[must_use]
    pub fn columns_of_domain(&self, name: &QualifiedName) -> Vec<(QualifiedName, Name)> {
        let domains = self.domains_over(name);
        let columns = domains.iter().flat_map(|domain| self.columns_of_type(domain));
        columns.filter(|(table, column)| self.column(table, column.as_str()).is_some_and(|column| !column.data_type.array)).collect()
    }

    /// A column in whose values those of the type are wrapped: in an array, or in a composite type. PostgreSQL can't look
    /// into such a column.
    #[must_use]
    pub fn column_wrapping(&self, name: &QualifiedName) -> Option<(QualifiedName, Name)> {
        let mut wrapping = Vec::new();
        for domain in self.domains_over(name) {
            let arrays = self.columns_of_type(&domain);
            let is_array =
                |(table, column): &(QualifiedName, Name)| self.column(table, column.as_str()).is_some_and(|it| it.data_type.array);
            wrapping.extend(arrays.into_iter().filter(is_array));
            for composite in self.composites_with(&domain) {
                wrapping.extend(self.columns_of_type(&composite));
            }
        }
        wrapping.into_iter().next()
    }

    fn composites_with(&self, name: &QualifiedName) -> Vec<QualifiedName> {
        let has = |composite: &CompositeType| composite.attributes.iter().any(|attribute| attribute.data_type.named() == Some(name));
        self.composites.iter().filter(|(_, composite)| has(composite)).map(|(name, _)| name.clone()).collect()
    }

    /// What is made of the type, besides columns.
    #[must_use]
    pub fn type_users(&self, name: &QualifiedName) -> Vec<TypeUser> {
        let domains = self.domains.iter().filter(|(_, domain)| domain.base.named() == Some(name));
        let domains = domains.map(|(name, _)| TypeUser::Domain(name.clone()));
        let attributes = self.composites.iter().flat_map(|(owner, composite)| {
            let of_type = composite.attributes.iter().filter(|attribute| attribute.data_type.named() == Some(name));
            of_type.map(move |attribute| TypeUser::Attribute(owner.clone(), attribute.name.clone()))
        });
        domains.chain(attributes).collect()
    }

    /// Gives a type another name, in its schema or in another, with everything that refers to it. The answer says whether
    /// there was anything to rename.
    pub fn move_type(&mut self, from: &QualifiedName, to: &QualifiedName, origin: &Origin) -> bool {
        if self.has_type(to) {
            return false;
        }
        let moved = if let Some(it) = self.enums.remove(from) {
            self.enums.insert(to.clone(), it).is_none()
        } else if let Some(it) = self.domains.remove(from) {
            self.domains.insert(to.clone(), it).is_none()
        } else if let Some(it) = self.composites.remove(from) {
            self.composites.insert(to.clone(), it).is_none()
        } else if let Some(it) = self.others.remove(from) {
            self.others.insert(to.clone(), it).is_none()
        } else {
            false
        };
        if moved {
            self.follow_type_rename(from, to);
            self.record_departure(ObjectKey::Type(from.clone()), Some(to.to_string()), origin);
        }
        moved
    }

    /// What says its type: columns, domains, attributes.
    pub(super) fn rename_type_in_columns(&mut self, from: &QualifiedName, to: &QualifiedName) {
        let tables: Vec<QualifiedName> = self.tables_that(&Tie::Type(from.clone())).map(|table| table.name.clone()).collect();
        for table in tables {
            let columns = self.tables.get_mut(&table).into_iter().flat_map(|table| &mut table.columns);
            columns.for_each(|column| rename(&mut column.data_type, from, to));
        }
        self.domains.values_mut().for_each(|domain| rename(&mut domain.base, from, to));
        for attribute in self.composites.values_mut().flat_map(|composite| &mut composite.attributes) {
            rename(&mut attribute.data_type, from, to);
        }
    }
}

/// Follows the rename of a type.
fn rename(data_type: &mut DataType, from: &QualifiedName, to: &QualifiedName) {
    if let BaseType::Named(name) = &mut data_type.base
        && name == from
    {
        *name = to.clone();
    }
}
