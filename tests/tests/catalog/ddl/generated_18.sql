-- server 18+
create table virtuals (a integer not null, b integer generated always as (a * 2) virtual, c integer generated always as (a + 1) stored);
