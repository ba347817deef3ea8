{{ config(unique_key='user_id') }}
-- the latest row of each user
with latest as (
    select user_id, max(day) as day, arg_max(amount, day) as amount, arg_max(loud, day) as loud
    from {{ ref('worded') }}
    {% if is_incremental() %}where day > (select max(day) from {{ this }}){% endif %}
    group by user_id
)
select * from latest
