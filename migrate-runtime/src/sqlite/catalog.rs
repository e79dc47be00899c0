//! Reads a live SQLite database into the model: columns and keys by its pragmas, and what those don't tell (names of
//! constraints, checks, collations, predicates) from the text of the statements that it keeps.

use migrate_core::expression::Expression;
use migrate_core::name::{Name, QualifiedName};
use migrate_core::naming;
use migrate_core::schema::{
    Column, Constraint, ConstraintKind, Deferral, ForeignKey, Index, IndexKey, IndexKeyKind, Key, MatchType, OtherKind, OtherObject,
    ReferentialAction, Schema, SqliteTrigger, Table, View,
};
use migrate_core::sqlite::{autoincrement, live_type, text};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use std::collections::BTreeMap;

/// Everything that has a name, and whether it is a table of SQLite's own kind.
const OBJECTS: &str = "select s.type, s.name, s.tbl_name, coalesce(s.sql, '') as sql, coalesce(l.type, '') as kind \
     from main.sqlite_schema s left join pragma_table_list l on l.schema = 'main' and l.name = s.name \
     where s.name not like 'sqlite\\_%' escape '\\' order by s.rowid";

const COLUMNS: &str = "select s.name as owner, c.name, c.type, c.\"notnull\" as not_null, c.dflt_value, c.pk, c.hidden \
     from main.sqlite_schema s join pragma_table_xinfo(s.name, 'main') c where s.type = 'table' order by s.rowid, c.cid";

const FOREIGN_KEYS: &str = "select s.name as owner, f.id, f.\"table\" as target, f.\"from\" as referencing, f.\"to\" as referenced, \
     f.on_update, f.on_delete \
     from main.sqlite_schema s join pragma_foreign_key_list(s.name, 'main') f where s.type = 'table' order by s.rowid, f.id desc, f.seq";

const INDEXES: &str = "select s.name as owner, i.name, i.\"unique\" as is_unique, k.name as column_name, k.\"desc\" as descending, \
     k.coll as collation \
     from main.sqlite_schema s join pragma_index_list(s.name, 'main') i join pragma_index_xinfo(i.name, 'main') k \
     where s.type = 'table' and k.key = 1 and i.origin = 'c' order by s.rowid, i.seq desc, k.seqno";

/// The live schema, as the open transaction sees it if there is one. Never writes.
///
/// # Errors
/// Those of the database.
pub async fn snapshot(connection: &mut SqliteConnection) -> Result<Schema, sqlx::Error> {
    let mut schema = Schema::default();
    let mut texts = BTreeMap::new();
    let mut index_texts = BTreeMap::new();
    for row in sqlx::query(OBJECTS).fetch_all(&mut *connection).await? {
        let (name, sql): (String, String) = (row.try_get("name")?, row.try_get("sql")?);
        let kind: String = row.try_get("type")?;
        match (kind.as_str(), row.try_get::<String, _>("kind")?.as_str()) {
            ("table", "virtual") => {
                let other = OtherObject { kind: OtherKind::Relation, of: None, origin: migrate_core::schema::Origin::default() };
                schema.others.insert(QualifiedName::public(name), other);
            }
            // a virtual table's own
            ("table", "shadow") => {}
            ("table", _) => {
                let text = text::table(&sql);
                let mut table = Table::new(QualifiedName::public(name.as_str()));
                table.options = text.options.join(", ");
                texts.insert(name, text);
                schema.tables.insert(table.name.clone(), table);
            }
            ("index", _) => {
                index_texts.insert(name, text::index(&sql));
            }
            ("view", _) => {
                schema.views.extend(view(&sql).map(|view| (QualifiedName::public(name), view)));
            }
            _ => {
                let on = Name::new(row.try_get::<String, _>("tbl_name")?);
                schema.sqlite_triggers.insert(Name::new(name), SqliteTrigger { on, sql });
            }
        }
    }
    let mut tables = Tables { schema, texts, constraints: BTreeMap::new() };
    tables.read_columns(&sqlx::query(COLUMNS).fetch_all(&mut *connection).await?)?;
    tables.read_indexes(&sqlx::query(INDEXES).fetch_all(&mut *connection).await?, &index_texts)?;
    tables.read_foreign_keys(&sqlx::query(FOREIGN_KEYS).fetch_all(&mut *connection).await?)?;
    Ok(tables.finish())
}

fn view(sql: &str) -> Option<View> {
    let (columns, query) = text::view(sql)?;
    Some(View { columns, query, ..View::default() })
}

struct Tables {
    schema: Schema,
    texts: BTreeMap<String, text::TableText>,
    /// The constraints of each table, some of them without a name so far.
    constraints: BTreeMap<String, Vec<Constraint>>,
}

/// The rows of one owner, one after the other.
fn by_owner(rows: &[SqliteRow]) -> Result<Vec<(String, Vec<&SqliteRow>)>, sqlx::Error> {
    let mut owners: Vec<(String, Vec<&SqliteRow>)> = Vec::new();
    for row in rows {
        let owner: String = row.try_get("owner")?;
        match owners.last_mut().filter(|(last, _)| *last == owner) {
            Some((_, rows)) => rows.push(row),
            None => owners.push((owner, vec![row])),
        }
    }
    Ok(owners)
}

impl Tables {
    fn table(&mut self, owner: &str) -> Option<(&mut Table, &mut text::TableText)> {
        Some((self.schema.tables.get_mut(&QualifiedName::public(owner))?, self.texts.get_mut(owner)?))
    }

    fn add(&mut self, owner: &str, name: Option<Name>, kind: ConstraintKind, deferral: Deferral) {
        let name = name.unwrap_or_else(|| Name::new(""));
        let constraint = Constraint { deferral, ..Constraint::new(name, kind) };
        self.constraints.entry(owner.to_owned()).or_default().push(constraint);
    }

    /// Columns as their table spells them: SQLite takes no notice of case.
    fn spelt(&self, owner: &str, columns: Vec<Name>) -> Vec<Name> {
        let table = self.schema.tables.get(&QualifiedName::public(owner));
        let own = |name: Name| {
            let same = |column: &&Column| column.name.as_str().eq_ignore_ascii_case(name.as_str());
            table.and_then(|table| table.columns.iter().find(same)).map_or(name.clone(), |column| column.name.clone())
        };
        columns.into_iter().map(own).collect()
    }

    /// The schema, with the constraints under the names that they have in the text, or those that PostgreSQL would have
    /// given them.
    fn finish(mut self) -> Schema {
        for (owner, text) in std::mem::take(&mut self.texts) {
            for constraint in text.constraints {
                let kind = match constraint.kind {
                    text::ConstraintTextKind::Check(expression) => ConstraintKind::Check { expression, no_inherit: false },
                    // the pragmas tell of the index, which several constraints may share
                    text::ConstraintTextKind::Unique(columns) => {
                        ConstraintKind::Unique(Key { columns: self.spelt(&owner, columns), ..Key::default() })
                    }
                    text::ConstraintTextKind::PrimaryKey | text::ConstraintTextKind::ForeignKey(..) => continue,
                };
                self.add(&owner, constraint.name, kind, Deferral::No);
            }
        }
        for (owner, constraints) in std::mem::take(&mut self.constraints) {
            let (named, unnamed): (Vec<_>, Vec<_>) = constraints.into_iter().partition(|constraint| !constraint.name.as_str().is_empty());
            for constraint in named.into_iter().chain(unnamed) {
                self.insert(&QualifiedName::public(owner.as_str()), constraint);
            }
        }
        self.spell();
        let keys = self.schema.clone();
        for constraint in self.schema.tables.values_mut().flat_map(|table| table.constraints.values_mut()) {
            naming::complete_foreign_key(&keys, None, constraint);
        }
        self.schema
    }

    /// Spells tables in keys and triggers as they spell themselves: SQLite takes no notice of case, and keeps what was written.
    fn spell(&mut self) {
        let relations = self.schema.tables.keys().chain(self.schema.views.keys());
        let spelt: BTreeMap<String, Name> = relations.map(|name| (name.name.as_str().to_ascii_lowercase(), name.name.clone())).collect();
        let own = |name: &mut Name| {
            if let Some(spelt) = spelt.get(&name.as_str().to_ascii_lowercase()).filter(|spelt| *spelt != name) {
                name.clone_from(spelt);
            }
        };
        self.schema.sqlite_triggers.values_mut().for_each(|trigger| own(&mut trigger.on));
        for constraint in self.schema.tables.values_mut().flat_map(|table| table.constraints.values_mut()) {
            if let ConstraintKind::ForeignKey(key) = &mut constraint.kind {
                own(&mut key.references.name);
            }
        }
    }

    fn insert(&mut self, table: &QualifiedName, constraint: Constraint) {
        let mut constraints = vec![constraint];
        let columns = self.schema.tables.get(table).map(|table| table.columns.clone()).unwrap_or_default();
        naming::name_constraints(&self.schema, table, &columns, &mut constraints);
        if let Some(table) = self.schema.tables.get_mut(table) {
            table.constraints.extend(constraints.into_iter().map(|constraint| (constraint.name.clone(), constraint)));
        }
    }

    fn read_columns(&mut self, rows: &[SqliteRow]) -> Result<(), sqlx::Error> {
        for (owner, rows) in by_owner(rows)? {
            let Some((table, text)) = self.table(&owner) else { continue };
            let mut key: Vec<(i64, Name)> = Vec::new();
            for row in rows {
                let name = Name::new(row.try_get::<String, _>("name")?);
                let mut column = Column::new(name.clone(), live_type(&row.try_get::<String, _>("type")?));
                column.not_null = row.try_get::<i64, _>("not_null")? != 0;
                let default: Option<String> = row.try_get("dflt_value")?;
                column.default = default.filter(|default| !default.eq_ignore_ascii_case("null")).map(Expression::new);
                let known = text.columns.iter().find(|known| known.name == name);
                if let Some(known) = known {
                    column.collation = known.collation.clone().filter(|collation| collation != "binary");
                    column.generated.clone_from(&known.generated);
                }
                let position: i64 = row.try_get("pk")?;
                if position > 0 {
                    key.push((position, name));
                }
                table.columns.push(column);
            }
            if key.is_empty() {
                continue;
            }
            key.sort();
            let columns: Vec<Name> = key.into_iter().map(|(_, name)| name).collect();
            let rowid = !table.options.contains("without rowid");
            if let [only] = columns.as_slice()
                && let Some(column) = table.column_mut(only.as_str()).filter(|column| rowid && column.data_type.sql() == "integer")
            {
                // the number of the row, which is never null
                column.not_null = true;
                column.identity = text.autoincrement.then(autoincrement);
            }
            let named = text.constraints.iter().find(|constraint| constraint.kind == text::ConstraintTextKind::PrimaryKey);
            let name = named.and_then(|constraint| constraint.name.clone());
            self.add(&owner, name, ConstraintKind::PrimaryKey(Key { columns, ..Key::default() }), Deferral::No);
        }
        Ok(())
    }

    fn read_indexes(
        &mut self,
        rows: &[SqliteRow],
        texts: &BTreeMap<String, (Vec<Expression>, Option<Expression>)>,
    ) -> Result<(), sqlx::Error> {
        for (owner, rows) in by_owner(rows)? {
            let mut start = 0;
            while let Some(first) = rows.get(start) {
                let name: String = first.try_get("name")?;
                let mut end = start;
                while rows.get(end).map(|row| row.try_get::<String, _>("name")).transpose()?.as_ref() == Some(&name) {
                    end += 1;
                }
                let keys = &rows[start..end];
                start = end;
                let Some((table, _)) = self.table(&owner) else { continue };
                let index = index(table, &name, keys, texts.get(&name))?;
                table.indexes.insert(index.name.clone(), index);
            }
        }
        Ok(())
    }

    fn read_foreign_keys(&mut self, rows: &[SqliteRow]) -> Result<(), sqlx::Error> {
        for (owner, rows) in by_owner(rows)? {
            let mut start = 0;
            while let Some(first) = rows.get(start) {
                let id: i64 = first.try_get("id")?;
                let mut key = ForeignKey {
                    columns: Vec::new(),
                    references: QualifiedName::public(first.try_get::<String, _>("target")?),
                    referenced_columns: Vec::new(),
                    on_delete: action(&first.try_get::<String, _>("on_delete")?),
                    on_delete_columns: Vec::new(),
                    on_update: action(&first.try_get::<String, _>("on_update")?),
                    match_type: MatchType::Simple,
                };
                while let Some(row) = rows.get(start)
                    && row.try_get::<i64, _>("id")? == id
                {
                    key.columns.push(Name::new(row.try_get::<String, _>("referencing")?));
                    key.referenced_columns.extend(row.try_get::<Option<String>, _>("referenced")?.map(Name::new));
                    start += 1;
                }
                let Some((_, text)) = self.table(&owner) else { continue };
                let wanted = text::ConstraintTextKind::ForeignKey(key.columns.clone(), key.references.name.clone());
                let position = text.constraints.iter().position(|constraint| constraint.kind == wanted);
                // each text is one key: two of the same columns and target are told apart by their order
                let (name, deferral) = match position.map(|position| text.constraints.remove(position)) {
                    Some(constraint) => (constraint.name, constraint.deferral),
                    None => (None, Deferral::No),
                };
                self.add(&owner, name, ConstraintKind::ForeignKey(key), deferral);
            }
        }
        Ok(())
    }
}

fn index(
    table: &Table,
    name: &str,
    keys: &[&SqliteRow],
    text: Option<&(Vec<Expression>, Option<Expression>)>,
) -> Result<Index, sqlx::Error> {
    let mut unique = false;
    let mut index_keys = Vec::new();
    for (number, row) in keys.iter().enumerate() {
        unique = row.try_get::<i64, _>("is_unique")? != 0;
        let descending = row.try_get::<i64, _>("descending")? != 0;
        let column: Option<String> = row.try_get("column_name")?;
        let own = column.as_ref().and_then(|column| table.column(column)).and_then(|column| column.collation.clone());
        let collation = row.try_get::<String, _>("collation")?.to_lowercase();
        let kind = column.map(|column| IndexKeyKind::Column(Name::new(column)));
        let kind = kind.unwrap_or_else(|| {
            let expression = text.and_then(|(keys, _)| keys.get(number)).cloned();
            IndexKeyKind::Expression(expression.unwrap_or_else(|| Expression::new("")))
        });
        let collation = Some(collation).filter(|collation| *collation != own.as_deref().unwrap_or("binary"));
        index_keys.push(IndexKey { kind, collation, operator_class: None, descending, nulls_first: descending });
    }
    Ok(Index {
        name: Name::new(name),
        unique,
        method: "btree".to_owned(),
        keys: index_keys,
        include: Vec::new(),
        nulls_not_distinct: false,
        predicate: text.and_then(|(_, predicate)| predicate.clone()),
        storage: String::new(),
        tablespace: None,
        only: false,
        valid: true,
        comment: None,
        parent: None,
    })
}

fn action(text: &str) -> ReferentialAction {
    match text {
        "CASCADE" => ReferentialAction::Cascade,
        "RESTRICT" => ReferentialAction::Restrict,
        "SET NULL" => ReferentialAction::SetNull,
        "SET DEFAULT" => ReferentialAction::SetDefault,
        _ => ReferentialAction::NoAction,
    }
}
