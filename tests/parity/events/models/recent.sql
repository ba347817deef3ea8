{{ config(materialized='ephemeral') }}
with limited as (
    select * from {{ ref('days') }} where day <= {{ var('last_day') }}
)
select * from limited
