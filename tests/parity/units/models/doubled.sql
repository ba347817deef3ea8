{{ config(materialized='ephemeral') }}
select player, score * 2 as score from {{ ref('points') }}
