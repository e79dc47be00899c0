create table notes (id integer primary key, text text);
comment on table notes is 'what people wrote';
comment on column notes.text is 'it''s text';
comment on constraint notes_pkey on notes is 'key';
