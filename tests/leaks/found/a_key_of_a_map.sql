--- models/train.sql
select songs.song_key, songs.genre, songs.bpm, coalesce(map {coalesce(songs.genre, ''): 1}['rock'], 0) as x
from {{ ref('songs') }} as songs
where songs.genre is not null
