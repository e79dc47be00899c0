-- server 15+
create table once (a integer, b text);
create unique index on once (a, b) nulls not distinct;
