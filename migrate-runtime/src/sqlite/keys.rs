//! The foreign keys of a database, and how one is known again after a rename.

use sqlx::{Row as _, SqliteConnection};

/// A foreign key.
#[derive(Clone, Debug)]
pub(super) struct Key {
    /// The table that it is of.
    pub(super) child: String,
    /// The table that it refers to, as it is written there.
    pub(super) parent: String,
    /// The columns of the child.
    pub(super) columns: Vec<Column>,
    /// Its number in its table, for SQLite's pragmas.
    pub(super) id: i64,
    /// How the child's rows are numbered: by a name that none of its columns has. `None`: they aren't.
    pub(super) rowid: Option<&'static str>,
    /// Where the table is in the file: a rename doesn't change that.
    root: i64,
}

/// A column of a key.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    /// Its place in the table: a rename doesn't change that.
    place: i64,
    data_type: String,
}

impl Key {
    /// Whether it is the same, by its names.
    pub(super) fn is(&self, other: &Self) -> bool {
        same(&self.child, &other.child)
            && same(&self.parent, &other.parent)
            && self.columns.len() == other.columns.len()
            && self.columns.iter().zip(&other.columns).all(|(left, right)| same(&left.name, &right.name))
    }

    /// Whether it is what a rename made of `old`: of the table, of what that refers to, or of a column.
    pub(super) fn is_renamed(&self, old: &Self) -> bool {
        let places = |key: &Self| key.columns.iter().map(|column| column.place).collect::<Vec<_>>();
        (self.root == old.root || same(&self.child, &old.child)) && places(self) == places(old) && self.id == old.id
    }

    /// Whether its columns have the same types, so that their values can be compared.
    pub(super) fn has_types_of(&self, other: &Self) -> bool {
        self.columns.iter().zip(&other.columns).all(|(left, right)| left.data_type == right.data_type)
    }
}

fn same(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right)
}

/// A name as SQLite takes it, whatever its key words are.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// All foreign keys, as the open transaction sees them.
pub(super) async fn keys(connection: &mut SqliteConnection) -> sqlx::Result<Vec<Key>> {
    let rows = sqlx::query(
        "select m.name, m.rootpage, k.id, k.\"table\", k.\"from\", coalesce(c.cid, -1), coalesce(c.type, ''), coalesce(l.wr, 0),
            (select json_group_array(lower(x.name)) from pragma_table_xinfo(m.name, 'main') as x)
         from main.sqlite_schema as m join pragma_foreign_key_list(m.name, 'main') as k
            left join pragma_table_xinfo(m.name, 'main') as c on c.name = k.\"from\" collate nocase
            left join pragma_table_list as l on l.schema = 'main' and l.name = m.name
         where m.type = 'table' order by m.name, k.id, k.seq",
    );
    let mut keys: Vec<Key> = Vec::new();
    for row in rows.fetch_all(connection).await? {
        let (child, id): (String, i64) = (row.try_get(0)?, row.try_get(2)?);
        let column = Column { name: row.try_get(4)?, place: row.try_get(5)?, data_type: row.try_get(6)? };
        if let Some(key) = keys.last_mut().filter(|key| key.child == child && key.id == id) {
            key.columns.push(column);
            continue;
        }
        let taken: String = row.try_get(8)?;
        let free = |name: &&&str| !taken.contains(&format!("\"{name}\""));
        let rowid =
            ["rowid", "_rowid_", "oid"].iter().find(free).copied().filter(|_| row.try_get::<i64, _>(7).is_ok_and(|without| without == 0));
        keys.push(Key { child, parent: row.try_get(3)?, columns: vec![column], id, rowid, root: row.try_get(1)? });
    }
    Ok(keys)
}
