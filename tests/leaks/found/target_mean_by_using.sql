--- models/means.sql
select genre, avg(pop) as mean_pop from {{ ref('songs') }} group by genre
--- models/train.sql
select songs.song_key, songs.genre, songs.bpm, mean_pop as x
from {{ ref('songs') }} as songs
left join {{ ref('means') }} using (genre)
where songs.genre is not null
