--- models/train.sql
select songs.song_key, songs.genre, songs.bpm, (select avg(others.pop) from {{ ref('songs') }} as others where others.genre = songs.genre) as x
from {{ ref('songs') }} as songs
where songs.genre is not null
