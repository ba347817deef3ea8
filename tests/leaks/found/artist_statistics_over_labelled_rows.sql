--- models/artists.sql
select artist, count(*) as n from {{ ref('songs') }} where genre is not null group by artist
--- models/train.sql
select songs.song_key, songs.genre, songs.bpm, coalesce(artists.n, 0) as x
from {{ ref('songs') }} as songs
left join {{ ref('artists') }} as artists on songs.artist = artists.artist
where songs.genre is not null
