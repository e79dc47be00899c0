use migrate_runtime::migration;

/// Makes titles mandatory, on every database.
#[migration(revision = "2", parent = "1")]
mod titles {
    use std::fmt::Write;

    const UNTITLED: &str = "untitled";

    up! {
        run backfill::titles;
        run write_title;

        /// The documentation of a statement.
        assert "every document has a title" select count(*) = 0 from documents where title is null;
        alter table documents alter column title set not null;

        #[as_written] alter table blog_posts alter column title set not null;

        #[allow(ban_drop_column, reason = "no release has read it since spring")]
        alter table blog_posts drop column subtitle;

        if exists table newsletter.issues {
            alter table newsletter.issues add column sent_at timestamptz;
            drop table if exists newsletter.drafts;
        }

        alter table if exists podcasts add column sent_at timestamptz;

        postgres {
            create index concurrently documents_title_idx on documents (lower(title) text_pattern_ops);
        }
        sqlite {
            create index documents_title_idx on documents (title collate nocase);
        }
    }

    irreversible!("nobody knows which titles were missing");

    mod backfill {
        use migrate_runtime::Tx;

        pub async fn titles(_tx: &mut Tx<'_>) -> migrate_runtime::Result<()> {
            Ok(())
        }
    }

    async fn write_title(_tx: &mut Tx<'_>) -> migrate_runtime::Result<()> {
        let mut title = String::new();
        let _ = write!(title, "{UNTITLED}");
        Ok(())
    }
}
