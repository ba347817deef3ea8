--- models/train.sql
select songs.song_key, songs.genre, songs.bpm, count(*) over (partition by songs.artist) as x
from {{ ref('songs') }} as songs
where songs.genre is not null
