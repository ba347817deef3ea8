select * from (values (1), (7)) as t (x)
