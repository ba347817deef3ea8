--- models/train.sql
select songs.song_key, songs.genre, songs.bpm, case when songs.genre = 'rock' then songs.pop else 0 end as x
from {{ ref('songs') }} as songs
where songs.genre is not null
