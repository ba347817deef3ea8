{{
    config(
        post_hook=[
            "insert into run_log values ('after {{ this }}')",
            {"sql": "update run_log set event = event || '!' where event like 'before%'", "transaction": true},
        ]
    )
}}

with

customers as (
    select * from {{ ref('stg_customers') }}
),

orders as (
    select * from {{ ref('stg_orders') }}
)

select
    customers.customer_id,
    customers.customer_name,
    places.name as country_name,
    count(orders.order_id) as order_count,
    sum(orders.euros) as euros,
    min(orders.ordered_at) as first_order_at,
    {%- for region in var('regions') %}
    places.region = '{{ region }}' as is_{{ region }}{{ "," if not loop.last }}
    {%- endfor %}
from customers
left join orders on customers.customer_id = orders.customer_id
left join {{ source('seeded', 'places') }} as places on customers.country_code = places.code
group by all
