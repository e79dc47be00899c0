create table authors (id integer primary key, name text not null, born date);
create table books (id integer primary key, author integer references authors, title text, price numeric(8, 2), published date);
create view names as select id, name from authors;
create view shelf (book, writer) as select b.title, a.name from books b join authors a on a.id = b.author where b.price > 10;
create view totals as
    select a.name, count(*) as books, sum(b.price) total from authors a left join books b on b.author = a.id
    group by a.name having count(*) > 0 order by total desc limit 10;
create view recent as with newest as (select * from books where published > current_date - 30) select title, extract(year from published) as year from newest;
create view everything as (select name as label from authors) union all select title from books where title in ('a', 'b');
create view ranked as select id, rank() over (partition by author order by price desc rows between 1 preceding and current row) from books;
create view of_view as select n.name || '!' as loud from names n where exists (select 1 from books where books.author = n.id);
create materialized view cached as select author, avg(price) as mean from books group by author;
create view guarded as select * from authors where born is not null;
comment on view names is 'who';
create view checked as select id, name from authors where name <> '' with local check option;
create view walled with (security_barrier) as select id from authors where born > date '1900-01-01';
create or replace view walled with (security_barrier = false) as select id from authors where born > date '1950-01-01';
create recursive view numbers (n) as values (1) union all select n + 1 from numbers where n < 10;
create view in_arrays as select array_agg(title order by title) filter (where price > 0) as titles, string_agg(distinct title, ', ') as line from books;
create view joined as select * from authors join books using (id) left join lateral (select 1 as one) l on true where (authors.id, books.id) in (select 1, 2);
