{{ config(unique_key='user_id', on_schema_change='append_new_columns') }}
select user_id, max(amount) as amount {% if var('last_day') > 2 %}, max(word) as word{% endif %}
from {{ ref('recent') }} group by user_id
