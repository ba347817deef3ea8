select 1 as id, 'a' as title, 2020 as year
