-- server 18+
create table virtuals (a integer not null, b integer generated always as (a * 2) virtual, c integer generated always as (a + 1) stored);
alter table virtuals add constraint virtuals_a_positive check (a > 0) not valid;
