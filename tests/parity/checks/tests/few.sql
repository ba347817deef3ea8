select * from {{ ref('bad') }} where x > 2
