{{ config(unique_key=['user_id', 'day'], incremental_strategy='delete+insert', incremental_predicates=["DBT_INCREMENTAL_TARGET.day > 0"]) }}
select user_id, day, amount * {{ var('factor', 1) }} as amount from {{ ref('recent') }}
