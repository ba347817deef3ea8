select player, sum(score) + {{ var('bonus') }} as total, max(played_on) as last_played
from {{ ref('points') }}
group by player
