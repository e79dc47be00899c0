//! Column definitions, in `create table` and in `add column` alike.

use super::constraints;
use super::syntax;
use crate::expression::Expression;
use crate::name::Name;
use crate::schema::{Column, Constraint, DefaultNull, Generated, Identity, IdentityKind, SequenceOptions};
use squawk_syntax::SyntaxNode;
use squawk_syntax::ast::{self, AstNode};

/// A column with the constraints that were written behind it.
#[derive(Clone, Debug)]
pub(crate) struct ColumnDefinition {
    pub(crate) column: Column,
    pub(crate) constraints: Vec<Constraint>,
    /// `smallserial`, `serial` or `bigserial`: the column gets a sequence of its own.
    pub(crate) serial: bool,
}

/// Reads a column. `clauses` are the nodes behind the type.
pub(crate) fn lower(name: &ast::ColumnName, ty: &ast::Type, clauses: impl Iterator<Item = SyntaxNode>) -> Option<ColumnDefinition> {
    with_type(name, syntax::data_type(ty)?, clauses)
}

/// The same, of a type that is known.
pub(crate) fn with_type(
    name: &ast::ColumnName,
    mut data_type: crate::data_type::DataType,
    clauses: impl Iterator<Item = SyntaxNode>,
) -> Option<ColumnDefinition> {
    let serial = match data_type.named().filter(|_| !data_type.array).map(|name| name.name.as_str().to_owned()).as_deref() {
        Some("serial" | "serial4") => Some("integer"),
        Some("bigserial" | "serial8") => Some("bigint"),
        Some("smallserial" | "serial2") => Some("smallint"),
        _ => None,
    };
    if let Some(base) = serial {
        data_type = crate::data_type::DataType { written: data_type.written, ..crate::data_type::DataType::from_catalog(base) };
    }
    let mut definition =
        ColumnDefinition { column: Column::new(syntax::name(name), data_type), constraints: Vec::new(), serial: serial.is_some() };
    definition.column.not_null = serial.is_some();
    for clause in clauses {
        definition.add_clause(&clause)?;
    }
    Some(definition)
}

impl ColumnDefinition {
    fn add_clause(&mut self, clause: &SyntaxNode) -> Option<()> {
        if let Some(collate) = ast::Collate::cast(clause.clone()) {
            self.column.collation = Some(syntax::path_ref(&collate.collation_ref()?.path_ref()?)?.name.to_string());
            return Some(());
        }
        let constraint = ast::ColumnConstraint::cast(clause.clone())?;
        let columns = vec![self.column.name.clone()];
        match constraint {
            ast::ColumnConstraint::DefaultConstraint(it) => {
                self.column.default = default(&it.expr()?);
                self.column.default_null = DefaultNull(self.column.default.is_none());
            }
            ast::ColumnConstraint::NotNullConstraint(_) => self.column.not_null = true,
            ast::ColumnConstraint::NullConstraint(_) => {}
            ast::ColumnConstraint::GeneratedConstraint(it) => match it.generated_as()? {
                ast::GeneratedAs::GeneratedIdentity(it) => {
                    self.column.identity = Some(identity(&it.generated_when()?, it.sequence_option_list())?);
                    self.column.not_null = true;
                }
                ast::GeneratedAs::GeneratedStored(it) => {
                    let stored = !matches!(it.generated_kind(), Some(ast::GeneratedKind::Virtual(_)));
                    self.column.generated = Some(Generated { expression: syntax::expression(&it.expr()?), stored });
                }
            },
            ast::ColumnConstraint::PrimaryKeyConstraint(it) => {
                self.column.not_null = true;
                self.constraints.push(constraints::primary_key(&it, Some(columns))?);
            }
            ast::ColumnConstraint::UniqueConstraint(it) => self.constraints.push(constraints::unique(&it, Some(columns))?),
            ast::ColumnConstraint::CheckConstraint(it) => self.constraints.push(constraints::check(&it)?),
            ast::ColumnConstraint::ReferencesConstraint(it) => self.constraints.push(constraints::references(&it, columns)?),
            ast::ColumnConstraint::ExcludeConstraint(_) => return None,
        }
        Some(())
    }
}

/// A default; `default null` is none at all in PostgreSQL's catalog.
pub(crate) fn default(expression: &ast::Expr) -> Option<Expression> {
    Some(syntax::expression(expression)).filter(|expression| !expression.is_null())
}

/// `generated … as identity (…)`. The sequence's name is filled in by `bind` where none is written.
pub(crate) fn identity(when: &ast::GeneratedWhen, options: Option<ast::SequenceOptionList>) -> Option<Identity> {
    let mut identity = Identity { kind: identity_kind(when), sequence: Name::new(""), options: SequenceOptions::default() };
    for option in options.iter().flat_map(ast::SequenceOptionList::sequence_options) {
        if let ast::SequenceOption::OptionSequenceName(it) = &option {
            identity.sequence = syntax::path(&it.sequence()?.path()?)?.name;
        } else {
            sequence_option(&mut identity.options, &option)?;
        }
    }
    identity.options = identity.options.without_defaults();
    Some(identity)
}

pub(crate) fn identity_kind(when: &ast::GeneratedWhen) -> IdentityKind {
    match when {
        ast::GeneratedWhen::GeneratedAlways(_) => IdentityKind::Always,
        ast::GeneratedWhen::GeneratedByDefault(_) => IdentityKind::ByDefault,
    }
}

/// Adds one option of a sequence. `None` for what isn't an attribute of the sequence itself (`owned by`, `restart`).
pub(crate) fn sequence_option(options: &mut SequenceOptions, option: &ast::SequenceOption) -> Option<()> {
    match option {
        ast::SequenceOption::OptionAsType(it) => options.data_type = Some(syntax::data_type(&it.ty()?)?.sql()),
        ast::SequenceOption::OptionStart(it) => options.start = Some(number(it.expr())?),
        ast::SequenceOption::OptionIncrement(it) => options.increment = Some(number(it.expr())?),
        ast::SequenceOption::OptionMinValue(it) => options.minimum = Some(number(it.expr())?),
        ast::SequenceOption::OptionMaxValue(it) => options.maximum = Some(number(it.expr())?),
        ast::SequenceOption::OptionCache(it) => options.cache = Some(number(it.expr())?),
        ast::SequenceOption::OptionCycle(_) => options.cycle = true,
        ast::SequenceOption::OptionNoCycle(_) => options.cycle = false,
        ast::SequenceOption::OptionNoMaxValue(_) => options.maximum = None,
        ast::SequenceOption::OptionNoMinValue(_) => options.minimum = None,
        _ => return None,
    }
    Some(())
}

/// A number with its sign.
pub(crate) fn number(expression: Option<ast::Expr>) -> Option<i64> {
    syntax::text(expression?.syntax()).replace([' ', '_', '+'], "").parse().ok()
}
