alter type standing add value if not exists 'overdue' before 'barred';
update readers set standing = 'good' where name like 'A%';
alter table books drop column isbn, add column shelf text, alter column printed set not null;
