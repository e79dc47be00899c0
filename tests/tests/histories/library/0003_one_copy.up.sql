create unique index concurrently loans_open_idx on loans (book) where back is null;
