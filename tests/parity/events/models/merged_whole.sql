{{ config(unique_key=['user_id', 'day'], incremental_strategy='merge') }}
select user_id, day, word from {{ ref('recent') }} where day >= {{ var('last_day') }}
