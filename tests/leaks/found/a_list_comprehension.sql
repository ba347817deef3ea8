--- models/train.sql
select songs.song_key, songs.genre, songs.bpm, length([genre for genre in [songs.genre]][1]) as x
from {{ ref('songs') }} as songs
where songs.genre is not null
