-- server 15+
create table parents (a integer, b integer, primary key (a, b));
create table children (
    a integer, b integer, c text, unique nulls not distinct (c),
    foreign key (a, b) references parents on delete set null (b)
);
