--- models/info.sql
select * from (values ('rock', 1), ('pop', 2), ('disco', 3)) as info (genre, weight)
--- models/train.sql
select songs.song_key, songs.genre, songs.bpm, info.weight as x
from {{ ref('info') }} as info inner join {{ ref('songs') }} as songs on songs.genre = info.genre
--- message
the id song_key of train depends on a label
