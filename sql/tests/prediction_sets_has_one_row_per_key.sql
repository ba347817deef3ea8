-- The key of prediction_sets is (song_key, coverage).
select
    song_key,
    coverage
from {{ ref('prediction_sets') }}
group by song_key, coverage
having count(*) > 1
