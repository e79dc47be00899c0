//! One branch after the identifiers: every document gets a title.

use migrate_runtime::migration;

/// Derives missing titles from file names, then makes the title mandatory.
#[migration(revision = "5c1e8a3f7b20", parent = "d47310025be2")]
mod document_titles {
    up! {
        alter table documents add column title_source text not null default "author";
        alter table documents add constraint documents_title_source_check
            check (title_source in ("author", "file_name", "ai"));

        create function public.title_from_file_name(file_name text) returns text
            language sql immutable strict
            as r#"
                select nullif(trim(initcap(replace(regexp_replace(file_name, '\.[^.]+$', ''), '_', ' '))), '')
            "#;

        create function public.fill_document_title() returns trigger
            language plpgsql
            as r#"
                begin
                    if new.title is null then
                        new.title := coalesce(public.title_from_file_name(new.file_name), 'Untitled');
                        new.title_source := 'file_name';
                    end if;
                    return new;
                end
            "#;

        create trigger fill_document_title before insert on public.documents
            for each row execute function public.fill_document_title();

        run backfill_titles;

        alter table documents alter column title set not null;
        alter table documents add constraint documents_title_check check (length(trim(title)) > 0);
    }

    // The titles stay: the column was there before, and no reader minds a title where there was none.
    down! {
        alter table documents drop constraint documents_title_check;
        alter table documents alter column title drop not null;
        drop trigger fill_document_title on public.documents;
        drop function public.fill_document_title();
        drop function public.title_from_file_name(text);
        alter table documents drop constraint documents_title_source_check;
        alter table documents drop column title_source;
    }

    async fn backfill_titles(tx: &mut migrate_runtime::Tx<'_>) -> migrate_runtime::Result<()> {
        use schema::documents::{FILE_NAME, TABLE, TITLE, TITLE_SOURCE};
        tx.execute(&format!(
            "update {TABLE}
                set {TITLE} = coalesce(public.title_from_file_name({FILE_NAME}), 'Untitled'), {TITLE_SOURCE} = 'file_name'
              where {TITLE} is null or trim({TITLE}) = ''"
        ))
        .await?;
        Ok(())
    }
}
