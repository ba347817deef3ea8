--- models/counts.sql
select song_key, count(*) as n from (select song_key, unnest(range(length(genre))) from {{ ref('songs') }}) group by song_key
--- models/train.sql
select songs.song_key, songs.genre, songs.bpm, counts.n as x
from {{ ref('songs') }} as songs
inner join {{ ref('counts') }} as counts on songs.song_key = counts.song_key
where songs.genre is not null
