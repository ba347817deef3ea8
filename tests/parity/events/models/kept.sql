{{ config(full_refresh=false, unique_key='day') }}
select day, count(*) as row_count from {{ ref('recent') }} group by day
