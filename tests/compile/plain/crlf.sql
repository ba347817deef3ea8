--- models/b.sql
select 1
from {{ ref('a') }}

