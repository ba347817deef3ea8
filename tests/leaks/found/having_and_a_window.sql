--- models/ranks.sql
select artist, count(*) over () as n from {{ ref('songs') }} group by artist having max(genre) = 'rock'
--- models/train.sql
select songs.song_key, songs.genre, songs.bpm, ranks.n as x
from {{ ref('songs') }} as songs
inner join {{ ref('ranks') }} as ranks on songs.artist = ranks.artist
where songs.genre is not null
