select * from {{ ref('twin') }}
union all
select * from {{ ref('common', 'twin') }}
union all
select * from {{ ref('store', 'twin') }}
