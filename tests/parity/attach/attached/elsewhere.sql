create table people as select * from (values (1, 'Ann'), (2, 'Bob')) as people(id, name);
create schema "order";
create table "order".items as select range as id, range % 2 + 1 as person from range(5);
