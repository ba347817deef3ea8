--- models/artists.sql
select artist, count(*) as n from {{ ref('songs') }} group by all
--- models/train.sql
select songs.song_key, songs.genre, songs.bpm, artists.n as x
from {{ ref('songs') }} as songs
left join {{ ref('artists') }} as artists on songs.artist = artists.artist
where songs.genre is not null
