select * from {{ ref('few') }} where price > 1000
