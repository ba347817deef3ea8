--- models/train.sql
select songs.song_key, songs.genre, songs.bpm, list_contains(getvariable('rocks'), songs.song_key) as x
from {{ ref('songs') }} as songs
where songs.genre is not null
--- message
cannot rule out
