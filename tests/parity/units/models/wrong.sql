select player, score + 1 as score from {{ ref('points') }}
