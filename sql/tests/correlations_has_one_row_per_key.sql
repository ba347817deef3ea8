-- The key of correlations is (column_name, other_column_name).
select
    column_name,
    other_column_name
from {{ ref('correlations') }}
group by column_name, other_column_name
having count(*) > 1
