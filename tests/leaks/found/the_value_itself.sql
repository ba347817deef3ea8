--- models/train.sql
select songs.song_key, songs.genre, songs.bpm, length(songs.genre) as x
from {{ ref('songs') }} as songs
where songs.genre is not null
