//! What an application's own observers see: spans and events of `tracing`.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use migrate_runtime::Database as Migrator;
use migrate_tests::chain::chain;
use migrate_tests::{Database, server};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::instrument::WithSubscriber as _;
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}").trim_matches('"').to_owned());
    }
}

/// Every span as it opens, below its parents, and the operations.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Heard {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(parents) = context.span_scope(id).filter(|_| attributes.metadata().target().starts_with("migrate_runtime")) {
            self.0.lock().unwrap().push(format!("{}{} {:?}", "  ".repeat(parents.count() - 1), attributes.metadata().name(), fields.0));
        }
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        if fields.0.contains_key("migrate.outcome") {
            self.0.lock().unwrap().push(format!("- {:?}", fields.0));
        }
    }
}

#[tokio::test]
async fn a_command_is_a_span_with_one_for_each_revision_and_an_event_for_each_operation() {
    let database = Database::create(server()).await;
    let heard = Heard::default();
    let text = "=== aaa111 m1\ncreate table first (id int primary key);\n";
    let subscriber = tracing_subscriber::registry().with(heard.clone());
    Migrator::new(database.url()).unwrap().up(chain(text), None).with_subscriber(subscriber).await.unwrap();
    let expected = [
        r#"migrate {"db.operation.name": "up", "db.system.name": "postgresql", "otel.kind": "client", "otel.name": "migrate up"}"#,
        r#"  migrate.revision {"db.system.name": "postgresql", "migrate.direction": "up", "migrate.name": "m1", "migrate.operations": "1", "migrate.revision": "aaa111", "otel.kind": "client"}"#,
        r#"- {"code.file.path": "chain.txt", "code.line.number": "2", "message": "operation", "migrate.number": "1", "migrate.operation": "create table `first`", "migrate.outcome": "applied"}"#,
    ];
    assert_eq!(*heard.0.lock().unwrap(), expected);
}
