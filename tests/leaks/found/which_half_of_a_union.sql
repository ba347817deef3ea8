--- models/halves.sql
select song_key, 1 as is_rock from {{ ref('songs') }} where genre = 'rock' union all select song_key, 0 from {{ ref('songs') }} where genre is distinct from 'rock'
--- models/train.sql
select songs.song_key, songs.genre, songs.bpm, halves.is_rock as x
from {{ ref('songs') }} as songs
inner join {{ ref('halves') }} as halves on songs.song_key = halves.song_key
where songs.genre is not null
