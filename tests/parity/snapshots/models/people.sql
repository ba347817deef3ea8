-- Day 2 changes Bo's city, takes Cy away and brings Di; day 3 brings Cy back.
select * from (
    values
        (1, 'Al', 'Rome', timestamp '2020-01-01', 1, 3),
        (2, 'Bo', 'Oslo', timestamp '2020-01-01', 1, 1),
        (2, 'Bo', 'Bern', timestamp '2020-01-02', 2, 3),
        (3, 'Cy', 'Kiev', timestamp '2020-01-01', 1, 1),
        (3, 'Cy', 'Kiev', timestamp '2020-01-03', 3, 3),
        (4, 'Di', null, timestamp '2020-01-02', 2, 2),
        (4, 'Di', 'Nice', timestamp '2020-01-03', 3, 3)
) as t (id, name, city, changed_at, first_day, last_day)
where {{ var('day') }} between first_day and last_day
