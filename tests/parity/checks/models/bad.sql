select * from (values (1, 'a'), (1, null), (3, 'c')) as t (x, name)
