{{ config(unique_key='user_id', incremental_strategy='merge', merge_exclude_columns=['first_day']) }}
select user_id, min(day) as first_day, max(day) as last_day, sum(amount) as amount
from {{ ref('recent') }}
{% if is_incremental() %}
where day > (select max(last_day) from {{ this }})
{% endif %}
group by user_id
