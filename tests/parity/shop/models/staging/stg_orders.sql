{{ config(alias='orders_clean', tags=['orders']) }}

select
    id as order_id,
    customer_id,
    ordered_at,
    status,
    {{ cents_to_euros('cents') }} as euros,
    cents < {{ var('low_price') }} as is_low
from {{ ref('shop', 'orders') }}
