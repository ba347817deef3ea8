select
    correlations.column_name as one,
    correlations.other_column_name as other,
    correlations.correlation,
    'The songs' as subject,
    '' as genre
from correlations
where
    correlations.column_name < correlations.other_column_name
    and abs(correlations.correlation) between 0.4 and 0.999
order by abs(correlations.correlation) desc, one asc, other asc
limit 1
