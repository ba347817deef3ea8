{{ config(materialized='incremental') }}
select player, score, '{{ env_var("UNITS_LABEL", "none") }}' as label from {{ ref('points') }}
{% if is_incremental() %}
where score > (select max(score) from {{ this }})
{% endif %}
