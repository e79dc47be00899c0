//! The shapes of the databases, and the rows that stop a migration.

use migrate_tests::Database;

/// The tables that only some deployments have.
pub const OPTIONAL_TABLES: [&str; 34] = [
    "pipeline_templates",
    "pipeline_template_stages",
    "admin_activities",
    "admin_campaign_recipients",
    "admin_campaigns",
    "admin_collateral",
    "admin_collateral_usage",
    "admin_content_pieces",
    "admin_content_scripts",
    "admin_deals",
    "admin_focus_sessions",
    "admin_goals",
    "admin_lead_captures",
    "admin_meetings",
    "admin_nudges",
    "admin_prospects",
    "admin_scores",
    "rbac_audit_logs",
    "valuation_export_logs",
    "deal_matches",
    "document_templates",
    "generated_documents",
    "document_questions",
    "blog_posts",
    "community_follows",
    "community_moderation_actions",
    "community_posts",
    "community_reactions",
    "community_comments",
    "events",
    "event_analytics",
    "event_sessions",
    "event_tickets",
    "event_registrations",
];

const MODULES: &str = include_str!("../../../examples/ma-saas/schema/optional_modules.sql");

/// The statements of the dump. psql's own commands and the session's settings are left out.
fn statements() -> Vec<String> {
    let lines = MODULES.lines().filter(|line| !line.starts_with('\\') && !line.starts_with("--"));
    let text = lines.collect::<Vec<_>>().join("\n");
    let kept = |statement: &&str| !statement.is_empty() && !statement.starts_with("SET ") && !statement.contains("set_config");
    text.split(";\n").map(str::trim).filter(kept).map(str::to_owned).collect()
}

fn is_about(statement: &str, table: &str) -> bool {
    let name = format!("public.{table}");
    let first_line: String = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    let target = first_line.split(" USING ").next().unwrap_or_default();
    let mut words = target.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')).filter(|word| word.starts_with("public."));
    // the first qualified name of a statement of the dump is its target
    words.next().is_some_and(|word| word == name || word.starts_with(&format!("{name}.")))
}

/// Creates these tables as their modules do.
pub async fn load(database: &Database, tables: &[&str]) {
    let wanted: Vec<String> = statements().into_iter().filter(|statement| tables.iter().any(|table| is_about(statement, table))).collect();
    let created = wanted.iter().filter(|statement| statement.starts_with("CREATE TABLE")).count();
    assert_eq!(created, tables.len(), "the dump has every table that is asked for");
    if !wanted.is_empty() {
        database.execute(&wanted.join(";\n")).await.unwrap();
    }
}

/// Creates all of them.
pub async fn load_all(database: &Database) {
    load(database, &OPTIONAL_TABLES).await;
}

/// A user whose `login_count` is null, where 774225e563ca says `set not null`.
pub const NULL_LOGIN_COUNT: &str = "insert into users (id, email, login_count) values ('u1', 'a@example.org', null)";

/// A document whose identifier is no UUID, where d47310025be2 casts it to one.
pub const ODD_DOCUMENT_ID: &str = "insert into organizations (id, name, slug) values ('o1', 'Example', 'example');
    insert into documents (id, organization_id, title, file_name) values ('not-a-uuid', 'o1', 'Odd', 'odd.pdf')";

/// A user whose manager doesn't exist, where 774225e563ca adds the foreign key.
pub const ORPHANED_MANAGER: &str = "insert into users (id, email, login_count, manager_id) values ('u1', 'a@example.org', 0, 'nobody')";
