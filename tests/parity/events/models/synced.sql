{{ config(unique_key='user_id', on_schema_change='sync_all_columns') }}
select
    user_id,
    {% if var('last_day') > 2 %}max(amount)::double as amount, max(day) as day
    {% else %}max(amount) as amount, max(word) as word{% endif %}
from {{ ref('recent') }} group by user_id
