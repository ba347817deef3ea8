--- models/b.sql
select * from {{ ref('a') }}

