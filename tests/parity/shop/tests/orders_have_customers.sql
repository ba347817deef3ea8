{{ config(store_failures=true, severity='warn', store_failures_as='table', tags=['audit']) }}
select order_id, customer_id
from {{ ref('stg_orders') }}
where customer_id <> 1
