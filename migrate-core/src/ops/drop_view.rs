//! `drop view`, `drop materialized view`.
//!
//! - **SQL**: `drop view published`
//! - **Lock**: access exclusive on the view
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: `create view`, where no other view falls with it
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `DROP VIEW`, `DROP MATERIALIZED VIEW`

use crate::effects::{Effects, LockMode};
use crate::name::QualifiedName;
use crate::operation::{Inverse, NoInverse, Operate};
use crate::ops::cascade;
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Drops a view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropView {
    /// The view.
    pub name: QualifiedName,
    /// `materialized`.
    #[serde(default)]
    pub materialized: bool,
    /// `cascade`: the views that read it fall with it.
    #[serde(default)]
    pub cascade: bool,
    /// `if exists`.
    #[serde(default)]
    pub if_exists: bool,
}

impl DropView {
    fn kind(&self) -> &'static str {
        if self.materialized { "materialized view" } else { "view" }
    }
}

impl Operate for DropView {
    fn describe(&self) -> String {
        format!("drop {} `{}`", self.kind(), self.name)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        Vec::new()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::View(self.name.clone())]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        if self.if_exists && schema.relation_kind(&self.name).is_none() {
            return;
        }
        if report.needs_view(schema, &self.name, self.materialized) && !self.cascade {
            let name = format!("{} `{}`", self.kind(), self.name);
            report.views_depend(schema, self.name.at(), &name, &schema.views_reading(&self.name));
            report.needed_by_policies(self.name.at(), &name, &schema.policies_reading(&self.name));
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        schema.forget_triggers_of(&self.name);
        if schema.views.remove(&self.name).is_none() {
            schema.others.remove(&self.name);
            schema.forget_indexes_of(&self.name);
            return;
        }
        for policy in cascade::drop_policies(schema.policies_reading(&self.name)) {
            policy.apply(schema, origin);
        }
        schema.drop_views_reading(&self.name, origin);
        schema.record_departure(ObjectKey::View(self.name.clone()), None, origin);
    }

    fn effects(&self, schema: &Schema) -> Effects {
        let own = Effects { breaks_readers: true, ..Effects::lock(&self.name, LockMode::AccessExclusive) };
        schema.views_above(&self.name).iter().fold(own, |effects, view| effects.and_lock(view, LockMode::AccessExclusive))
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        let Some(view) = before.views.get(&self.name) else {
            return Err(NoInverse::because(format!("nothing is known of {} `{}`", self.kind(), self.name)));
        };
        if let Some(what) = view.unmodelled.first() {
            return Err(NoInverse::because(format!("{what} falls with it, and the model can't bring it back")));
        }
        if let Some(other) = before.views_reading(&self.name).first() {
            return Err(NoInverse::because(format!("view `{other}` falls with it")));
        }
        if let Some((table, name)) = before.policies_reading(&self.name).first() {
            return Err(NoInverse::because(format!("policy `{name}` of table `{table}` falls with it")));
        }
        Ok(super::create_view::recreate(&self.name, view).chain(super::create_trigger::recreate_all(before, &self.name)).collect())
    }

    fn render(&self) -> Vec<String> {
        vec![format!("drop {} {}{}", self.kind(), self.name.quoted(), if self.cascade { " cascade" } else { "" })]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::DropView;
    use crate::lower::syntax;
    use crate::operation::Operation;
    use squawk_syntax::ast;

    impl DropView {
        /// One operation a view.
        pub(crate) fn lower(statement: &ast::DropView) -> Option<Vec<Operation>> {
            each(statement.view_refs(), false, statement.drop_behavior(), statement.if_exists().is_some())
        }

        pub(crate) fn lower_materialized(statement: &ast::DropMaterializedView) -> Option<Vec<Operation>> {
            each(statement.view_refs(), true, statement.drop_behavior(), statement.if_exists().is_some())
        }
    }

    fn each(
        views: ast::AstChildren<ast::ViewRef>,
        materialized: bool,
        behavior: Option<ast::DropBehavior>,
        if_exists: bool,
    ) -> Option<Vec<Operation>> {
        let cascade = matches!(behavior, Some(ast::DropBehavior::Cascade(_)));
        let operation = |view: ast::ViewRef| {
            let name = syntax::path_ref(&view.path_ref()?)?;
            Some(DropView { name, materialized, cascade, if_exists }.into())
        };
        views.map(operation).collect()
    }
}
