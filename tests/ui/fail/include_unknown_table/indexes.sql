-- What the search page needs.
create index documents_title_idx on documents (title);
alter table documnets add column pages integer;
