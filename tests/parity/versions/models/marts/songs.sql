select 1 as id, 'a' as title, 3 as plays, 0.5::double as rating
