--- models/info.sql
select * from (values ('rock', 1), ('pop', 2), ('disco', 3)) as info (genre, weight)
--- models/train.sql
select songs.song_key, songs.genre, songs.bpm, info.weight as x from {{ ref('songs') }} as songs , {{ ref('info') }} as info
where songs.genre is not null and songs.genre = info.genre
