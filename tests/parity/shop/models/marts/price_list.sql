{{ config(materialized='view', schema='lists', enabled=var('with_prices', true)) }}
select item, price, price * 2 as double_price from {{ source('seeded', 'prices') }}
