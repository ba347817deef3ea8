{{ config(materialized='table') }}
select everyone.name, count(items.id) as bought
from {{ ref('everyone') }} as everyone
left join {{ source('orders', 'bought') }} as items on everyone.id = items.person
group by all
