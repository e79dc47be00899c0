create function note() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger note_loan after insert on loans for each row execute function note();
create view open_loans as select book, reader from loans where back is null;
