--- models/rocks.sql
select song_key from {{ ref('songs') }} where genre = 'rock'
--- models/train.sql
select songs.song_key, songs.genre, songs.bpm, (rocks.song_key is null)::int as x
from {{ ref('songs') }} as songs
left join {{ ref('rocks') }} as rocks on songs.song_key = rocks.song_key
where songs.genre is not null
