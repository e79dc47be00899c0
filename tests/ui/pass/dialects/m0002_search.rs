use migrate_runtime::migration;

/// What only one of them has stands in a block for it.
#[migration(revision = "2", parent = "1")]
mod search {
    up! {
        postgres {
            create index books_search_idx on books using gin (search);
        }
        sqlite {
            create virtual table books_search using fts5(title);
        }
        alter table books alter column title set default "untitled";
        insert into books (title) values ("The first");
        assert "a book has a title" select count(*) > 0 from books where title <> "";
    }

    down! {
        postgres {
            drop index books_search_idx;
        }
        sqlite {
            drop table books_search;
        }
        alter table books alter column title drop default;
    }
}
