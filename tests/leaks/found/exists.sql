--- models/train.sql
select songs.song_key, songs.genre, songs.bpm, exists (select 1 from {{ ref('songs') }} as others where others.genre = songs.genre and others.song_key = 'k4') as x
from {{ ref('songs') }} as songs
where songs.genre is not null
