{{ config(incremental_strategy='append') }}
select day, user_id, amount from {{ ref('recent') }}
{% if is_incremental() %}
where day > (select coalesce(max(day), 0) from {{ this }})
{% endif %}
