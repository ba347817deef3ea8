{{ config(materialized='table') }}
with

totals as (
    select * from {{ ref('totals') }}
),

doubled as (
    select player, sum(score) as doubled from {{ ref('doubled') }} group by player
)

select totals.player, totals.total, rank() over (order by totals.total desc) as place, doubled.doubled
from totals
left join doubled on totals.player = doubled.player
