-- Which columns go together, and which go against each other?
select
    column_name,
    other_column_name,
    round(correlation, 3) as correlation
from correlations
where column_name < other_column_name
order by abs(correlation) desc nulls last, column_name asc
limit 10
