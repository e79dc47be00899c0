migrate_runtime::migrations! {
    dialects: [postgres, sqlite];
    mod m0001_rows;
}
