-- Which columns tell the groups apart: what share of variance is between them?
with

numbers as (
    unpivot songs
    on year, bpm, nrgy, dnce, db, live, val, dur, acous, spch, pop
    into name column_name value number
),

group_means as (
    select
        column_name,
        number,
        avg(number) over (partition by column_name, genre_group) as group_mean
    from numbers
    where genre_group is not null
)

select
    column_name,
    round(100 * var_pop(group_mean) / nullif(var_pop(number), 0), 1)
        as percent_between_groups
from group_means
group by column_name
order by percent_between_groups desc nulls last, column_name asc
