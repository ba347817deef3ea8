create table people as select 3 as id, 'Cleo' as name;
create view grown as select id + 1 as id from people;
