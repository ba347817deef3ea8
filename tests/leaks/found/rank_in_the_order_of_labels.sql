--- models/train.sql
select songs.song_key, songs.genre, songs.bpm, row_number() over (order by songs.genre, songs.song_key) as x
from {{ ref('songs') }} as songs
where songs.genre is not null
